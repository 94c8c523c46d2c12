/**
 * Defines `<support-chat>`. This is the one file a page names:
 *
 *     <script type="module" src="https://kit.example/widget/support-chat.js"></script>
 *     <support-chat><a href="https://kit.example/help">Help centre</a></support-chat>
 *
 * Loaded a second time, even from another address, it leaves the first definition alone.
 */

import { SupportChat } from "./chat-element.js";

if (!customElements.get("support-chat")) customElements.define("support-chat", SupportChat);
