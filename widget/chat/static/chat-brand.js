/**
 * The company's voice in the widget: what `GET /api/brand` says, as far as it can be trusted, and what follows from it. Pure.
 *
 * @typedef {{brand: string, "brand-soft": string, "on-brand": string}} Tones `#rrggbb`
 * @typedef {{open: boolean, opens_at: string | null}} Hours
 * @typedef {object} Brand
 * @property {string | null} name
 * @property {string | null} logo a path on the kit
 * @property {{light: Tones, dark: Tones} | null} colours
 * @property {string | null} greeting
 * @property {"friendly" | "neutral" | "formal"} tone
 * @property {string[]} topics first questions
 * @property {string | null} email
 * @property {Hours} hours
 */

const TONE_NAMES = /** @type {const} */ (["brand", "brand-soft", "on-brand"]);
const DAY_MS = 86_400_000;
/** Up to so many days ahead a weekday alone says which day is meant. */
const WEEK = 6;

/**
 * What an answer of the kit, or what was kept of one, says; what is not as it should be counts as not said.
 * @param {any} said @returns {Brand | null} null for what is no brand at all
 */
export function brandFrom(said) {
  if (said === null || typeof said !== "object") return null;
  const { light, dark } = said.colours ?? {};
  return {
    name: words(said.name),
    logo: words(said.logo),
    colours: areTones(light) && areTones(dark) ? { light, dark } : null,
    greeting: words(said.greeting),
    tone: said.tone === "neutral" || said.tone === "formal" ? said.tone : "friendly",
    topics: (Array.isArray(said.topics) ? said.topics : []).map((/** @type {any} */ topic) => words(topic?.title)).filter((/** @type {string | null} */ title) => title !== null),
    email: words(said.email),
    hours: { open: said.hours?.open !== false, opens_at: words(said.hours?.opens_at) },
  };
}

/** @param {unknown} value @returns {string | null} */
function words(value) {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** @param {any} tones @returns {tones is Tones} */
function areTones(tones) {
  return TONE_NAMES.every((name) => /^#[0-9a-f]{6}$/i.test(String(tones?.[name])));
}

/** The brand's colours as a style sheet to go over the widget's own; properties of the page win here too. @param {Brand | null} brand */
export function brandStyle(brand) {
  if (!brand?.colours) return "";
  const [light, dark] = [brand.colours.light, brand.colours.dark].map((tones) => TONE_NAMES.map((name) => `--${name}: var(--td-${name}, ${tones[name]});`).join(" "));
  return `:host { ${light} } @media (prefers-color-scheme: dark) { :host { ${dark} } } :host([theme="light"]) { ${light} } :host([theme="dark"]) { ${dark} }`;
}

/** The first words of the assistant. @param {import("./chat-text.js").ChatText} text @param {Brand | null} brand */
export function greetingOf(text, brand) {
  return brand?.greeting ?? text.greetings[brand?.tone ?? "friendly"] ?? text.greeting;
}

/**
 * When somebody is back, in words ("We are back tomorrow at 9:00."), by the reader's own clock; null while somebody is here.
 * @param {import("./chat-text.js").ChatText} text @param {Hours | null} hours @param {Date} now @param {string} locale
 * @returns {string | null}
 */
export function backLine(text, hours, now, locale) {
  if (!hours || hours.open) return null;
  const at = new Date(hours.opens_at ?? Number.NaN);
  if (Number.isNaN(at.getTime())) return text.nobodyHere;
  if (at <= now) return null;
  const time = at.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" });
  return text.backAt(dayWords(at, now, locale.split("-")[0] === text.language ? locale : text.language), time);
}

/** "today", "tomorrow", "Monday", or the date. @param {Date} at @param {Date} now @param {string} locale */
function dayWords(at, now, locale) {
  const days = Math.round((midnight(at) - midnight(now)) / DAY_MS);
  if (days < 2) return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day");
  const date = days > WEEK ? /** @type {const} */ ({ day: "numeric", month: "long" }) : {};
  return at.toLocaleDateString(locale, { weekday: "long", ...date });
}

/** @param {Date} date the day it falls on by the reader's clock, as a number */
function midnight(date) {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}
