/** What the bot of the fake kit says: a few scripted replies in the shape of the contract. */

const text = (words) => ({ el: "text", text: words });
const p = (...children) => ({ el: "p", children });

const RED_LIGHT = {
  text: "Restart the router; if the light stays red, check the cable to the wall.\n\nDid this solve it?",
  body: [p({ el: "strong", children: [text("Restart the router;")] }, text(" if the light stays red, check the cable to the wall.")), p(text("Did this solve it?"))],
  choices: [
    { title: "Yes, thanks", payload: "/affirm" },
    { title: "No", payload: "/deny" },
    { title: "Take me through it", payload: '/start_guide{"article": "router-red-light"}' },
  ],
  sources: [{ slug: "router-red-light", section: "Step 1: Restart the router", title: "Router shows a red light", url: "/help/router-red-light?ref=c#step-1", confidence: 0.93 }],
  outcome: "answered",
};

const STEP = {
  text: "Step 1 of 3: Restart the router. Unplug it, wait 30 seconds, plug it in again. Did that work?",
  body: [
    { el: "h3", children: [text("Step 1 of 3: Restart the router")] },
    { el: "ol", children: ["Unplug the router from the wall.", "Wait 30 seconds.", "Plug it in again and give it two minutes."].map((line) => ({ el: "li", children: [text(line)] })) },
    p(text("Did that work?")),
  ],
  choices: [
    { title: "It worked", payload: "/step_worked" },
    { title: "It did not", payload: "/step_did_not" },
    { title: "I cannot do this", payload: "/step_cannot" },
  ],
  sources: [{ slug: "router-red-light", section: "Step 1: Restart the router", title: "Router shows a red light", url: "/help/router-red-light#step-1", confidence: 0.93 }],
  outcome: "guide_step",
};

const OFFER = {
  text: "I am not quite sure. Is it one of these?",
  body: null,
  choices: [
    { title: "Where is my order?", payload: '/choose_article{"article": "where-is-my-order"}' },
    { title: "Change the delivery address", payload: '/choose_article{"article": "change-delivery-address"}' },
    { title: "None of these", payload: "/deny" },
  ],
  sources: [],
  outcome: "offered_choices",
};

const ALL_NODES = {
  text: "Everything at once",
  body: [
    { el: "h3", children: [text("A heading")] },
    p(text("Words with "), { el: "em", children: [text("stress")] }, text(", "), { el: "code", text: "192.168.1.1" }, text(" and "), { el: "a", href: "https://example.com/", children: [text("a link")] }, text(".")),
    p({ el: "a", href: "javascript:window.hacked=1", children: [text("not a link")] }, { el: "script", text: "window.hacked=2" }),
    { el: "ul", children: [{ el: "li", children: [text("One")] }, { el: "li", children: [text("Two")] }] },
    { el: "blockquote", children: [p(text("A quotation."))] },
    { el: "table", children: [{ el: "thead", children: [{ el: "tr", children: [{ el: "th", text: "Light" }, { el: "th", text: "Meaning" }] }] }, { el: "tbody", children: [{ el: "tr", children: [{ el: "td", text: "Red" }, { el: "td", text: "No line" }] }] }] },
    { el: "pre", children: [{ el: "code", text: "ping 192.168.1.1" }] },
  ],
  outcome: "answered",
};

const SCRIPT = [
  [/^\/affirm/, { messages: [{ text: "Glad to hear it! Is there anything else?", outcome: "small_talk" }] }],
  [/^\/(deny|request_person)|person/i, { messages: [{ text: "I am sorry that did not help. I am getting a person for you; they will see everything we tried.", choices: [{ title: "Never mind, back to the bot", payload: "/cancel_handoff" }], outcome: "handed_off" }], owner: "queued", reason: "not_solved" }],
  [/^\/start_guide|guide/, { messages: [STEP] }],
  [/^\/step_worked/, { messages: [{ text: "Great, that is solved then.", outcome: "answered" }] }],
  [/^\/cancel_handoff/, { messages: [{ text: "All right, it is just us again.", outcome: "small_talk" }], owner: "bot", reason: "customer_cancelled" }],
  [/red light/i, { messages: [RED_LIGHT] }],
  [/order/i, { messages: [OFFER] }],
  [/everything/i, { messages: [ALL_NODES] }],
];

/** @param {string} words @param {{owner: string}} conversation @returns {{messages: object[], owner?: string, reason?: string}} */
export function replyTo(words, conversation) {
  const found = SCRIPT.find(([pattern]) => pattern.test(words))?.[1];
  if (found) return found;
  if (conversation.owner === "queued") return { messages: [] };
  return { messages: [{ text: `You said: ${words.slice(0, 200)}`, outcome: "answered" }] };
}
