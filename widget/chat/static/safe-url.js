/** The one gate for every address that the widget turns into a link or a picture. */

const LINK_SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);
const PICTURE_SCHEMES = new Set(["http:", "https:"]);

/**
 * Gives the absolute form of an address that is safe to link to, else null.
 *
 * Paths are taken as paths on the kit. Addresses that carry a user name are refused: `https://bank.example@evil.example`
 * reads as the one and leads to the other.
 * @param {unknown} address @param {string} kit base, absolute
 * @returns {string | null}
 */
export function safeUrl(address, kit) {
  const url = parse(address, kit);
  if (!url || !LINK_SCHEMES.has(url.protocol) || url.username || url.password) return null;
  return url.href;
}

/**
 * Gives the absolute form of a picture's address when the kit itself serves it, else null.
 *
 * A picture is fetched without a press: one from elsewhere would tell that place who reads what.
 * @param {unknown} address @param {string} kit base, absolute
 * @returns {string | null}
 */
export function safePictureUrl(address, kit) {
  const url = parse(address, kit);
  if (!url || !PICTURE_SCHEMES.has(url.protocol) || url.origin !== new URL(kit).origin) return null;
  return url.href;
}

/** @param {unknown} address @param {string} kit @returns {URL | null} */
function parse(address, kit) {
  if (typeof address !== "string" || address.trim() === "") return null;
  try {
    return new URL(address, kit);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
