/** All words the widget says, by language. English is complete and stands in for what another language lacks. */

/** Keeps a name's own direction from turning the sentence around it (Unicode FSI and PDI). @param {string} name */
function isolated(name) {
  return `\u2068${name}\u2069`;
}

const english = Object.freeze({
  language: "en",
  launcher: "Help and chat",
  launcherShort: "Help",
  launcherClose: "Close chat",
  unread: (/** @type {number} */ count) => (count === 1 ? "1 new message" : `${count} new messages`),
  title: "Support",
  close: "Close chat",
  log: "Conversation",
  greeting: "Hello! Ask me anything about your order, your account or your devices. I answer from our help pages, and I can get a person for you at any time.",
  greetings: /** @type {Record<string, string>} */ ({
    neutral: "Ask a question about your order, your account or your devices. The answers come from our help pages, and a person can be asked for at any time.",
    formal: "Good day. Please ask your question about your order, your account or your devices. The answers come from our help pages, and a person is at your service on request.",
  }),
  topics: "Often asked",
  bot: "Assistant",
  agent: "Support team",
  you: "You",
  statusBot: "Answers right away",
  statusQueued: "Waiting for a person",
  statusAgent: (/** @type {string} */ name) => `${isolated(name)} is here for you`,
  statusClosed: "Conversation closed",
  composer: "Your message",
  placeholder: "Write a message…",
  send: "Send",
  keys: "Enter sends, Shift and Enter begins a new line.",
  roomLeft: (/** @type {number} */ count) => (count === 1 ? "1 character left" : `${count.toLocaleString("en")} characters left`),
  tooLong: (/** @type {number} */ over) => `Too long by ${over.toLocaleString("en")} ${over === 1 ? "character" : "characters"}. Please shorten it or send it in parts.`,
  sending: "Sending…",
  unsent: "Not sent – trying again",
  unsentCodes: /** @type {Record<string, string>} */ ({
    too_many: "That was a lot at once – this is sent in a moment",
  }),
  tryNow: "Try now",
  refused: "This could not be sent.",
  refusedCodes: /** @type {Record<string, string>} */ ({
    too_large: "This message is too long.",
    invalid: "This message could not be accepted.",
  }),
  edit: "Edit",
  remove: "Remove",
  lost: "Connection lost. Trying again…",
  trouble: "That did not work. Please try again.",
  typing: (/** @type {string} */ name) => `${isolated(name)} is typing`,
  newBelow: "New messages",
  choices: "Answers you can choose",
  sources: "Where this comes from",
  newTab: "opens in a new tab",
  step: "Guide step",
  stepOf: (/** @type {number} */ number, /** @type {number} */ of) => `Step ${number} of ${of}`,
  person: "Talk to a person",
  asking: "Asking for a person…",
  help: "Help centre",
  end: "End chat",
  endQuestion: "End this conversation?",
  endYes: "Yes, end it",
  endNo: "Keep talking",
  waiting: (/** @type {number | null} */ position) => (position === null ? "Waiting for a person" : `Waiting for a person, number ${position}`),
  waitingNext: "Waiting for a person, you are next",
  waitingMore: "You can go on asking here while you wait.",
  neverMind: "Never mind",
  backAt: (/** @type {string} */ day, /** @type {string} */ time) => `We are back ${day} at ${time}.`,
  nobodyHere: "Nobody is here just now.",
  answerStays: "You will find our answer here.",
  writeTo: "You can also write to",
  upTo: (/** @type {number} */ minutes) => (minutes <= 1 ? "about a minute" : `up to ${minutes} minutes`),
  about: (/** @type {number} */ low, /** @type {number} */ high) => (low === high ? `about ${low} minutes` : `about ${low} to ${high} minutes`),
  closed: "This conversation is closed.",
  startNew: "Start a new conversation",
  rate: "How did we do?",
  scores: ["Very bad", "Bad", "Okay", "Good", "Very good"],
  comment: "Anything to add? (optional)",
  rateSend: "Send rating",
  rateSending: "Sending your rating…",
  rateThanks: (/** @type {string} */ label) => `Thank you. You rated us “${label}”.`,
  continued: "New conversation",
  expired: "The earlier conversation has expired. A new one begins here.",
  today: "Today",
  joined: (/** @type {string} */ name) => `${isolated(name)} joined the conversation.`,
  owners: /** @type {Record<string, string>} */ ({
    "queued:transferred": "You are being passed on to a colleague.",
    "queued:agent_gone": "The connection to your contact broke off. You are next in line.",
    "queued:agent_away": "Your contact had to leave. You are next in line.",
    queued: "You are in line for a person.",
    "bot:customer_cancelled": "You are talking to the assistant again.",
    bot: "You are talking to the assistant again.",
    "closed:silence": "Closed because nothing was written for a while.",
    closed: "The conversation was closed.",
  }),
});

/** @typedef {typeof english} ChatText */

/** @type {Readonly<Record<string, Partial<ChatText>>>} */
const LANGUAGES = Object.freeze({ en: english });

/** Gives the words for a language tag such as `de-CH`. @param {string} locale @returns {ChatText} */
export function textFor(locale) {
  return { ...english, ...LANGUAGES[locale.split("-")[0].toLowerCase()] };
}

/** The line in the conversation when somebody else takes it; the words for a reason stand before those for the owner. @param {ChatText} text @param {Record<string, any>} data */
export function ownerLine(text, data) {
  if (data.owner === "agent") return text.joined(data.agent?.name || text.agent);
  return text.owners[`${data.owner}:${data.reason}`] ?? text.owners[data.owner] ?? "";
}

/**
 * The place in the queue and the range of the wait, in words: "Waiting for a person, number 2, about 1 to 4 minutes".
 * @param {ChatText} text @param {import("./chat-client.js").Queue | null} queue times in seconds, null when nothing is known
 */
export function queueLine(text, queue) {
  const place = queue?.position === 1 ? text.waitingNext : text.waiting(queue?.position ?? null);
  const wait = queue ? waitRange(text, queue.wait_low_s, queue.wait_high_s) : null;
  return wait ? `${place}, ${wait}` : place;
}

/** @param {ChatText} text @param {number | null} low_s @param {number | null} high_s @returns {string | null} */
function waitRange(text, low_s, high_s) {
  if (low_s === null || high_s === null) return null;
  const low = Math.floor(low_s / 60);
  const high = Math.max(1, Math.ceil(high_s / 60));
  return low === 0 ? text.upTo(high) : text.about(low, Math.max(low, high));
}
