/** Reading server-sent events from the body of a fetch. */

/**
 * @param {(frame: {event: string, id: string|null, data: any}) => void} onFrame called for each complete frame whose data is JSON
 * @returns {(chunk: string) => void} takes the text as it comes, cut anywhere
 */
export function frameReader(onFrame) {
  let rest = "";
  return (chunk) => {
    rest += chunk.replaceAll("\r", "");
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const frame = readFrame(block);
      if (frame) onFrame(frame);
    }
  };
}

function readFrame(block) {
  const frame = { event: "message", id: null, data: null };
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === "event") frame.event = value;
    if (name === "id") frame.id = value;
    if (name === "data") data.push(value);
  }
  if (!data.length) return null; // a comment: the connection lives
  try {
    return { ...frame, data: JSON.parse(data.join("\n")) };
  } catch {
    return null; // not ours; what matters is fetched again anyway
  }
}
