/** The calls themselves, over real HTTP. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { ChatClient, ChatError } from "../../widget/chat/static/chat-client.js";

const never = new AbortController().signal;
/** What the server does with the next request. @type {(request: any, response: any) => void} */
let answer;
let server;
let address;

before(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}/kit/`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

/** The error that a call fails with. */
async function failure(call) {
  const error = await call.then(
    () => assert.fail("it worked"),
    (found) => found,
  );
  assert.ok(error instanceof ChatError, String(error));
  return error;
}

function says(status, body, headers = {}) {
  return (request, response) => response.writeHead(status, headers).end(body);
}

test("the token goes in a header, never in the address, and ids are escaped", async () => {
  let seen;
  answer = (request, response) => {
    seen = request;
    response.end('{"id": "x"}');
  };
  await new ChatClient(address).conversation("secret", "a/../b?c", never);
  assert.equal(seen.url, "/kit/api/conversations/a%2F..%2Fb%3Fc");
  assert.equal(seen.headers.authorization, "Bearer secret");
  assert.equal(seen.headers.cookie, undefined);
});

test("a refusal carries the kit's code and how long to wait", async () => {
  answer = says(429, '{"error": {"code": "too_many", "message": "", "detail": null}}', { "Retry-After": "7" });
  const error = await failure(new ChatClient(address).act("t", "c", "messages", {}, never));
  assert.deepEqual([error.code, error.status, error.retry_after_s, error.passing, error.gone], ["too_many", 429, 7, true, false]);
});

for (const [status, passing, gone] of [[400, false, false], [401, false, true], [404, false, true], [409, false, false], [413, false, false], [422, false, false], [500, true, false], [503, true, false]]) {
  test(`status ${status} ${passing ? "may pass" : "stays"}${gone ? ", and means starting afresh" : ""}`, async () => {
    answer = says(status, "<h1>not JSON</h1>");
    const error = await failure(new ChatClient(address).act("t", "c", "messages", {}, never));
    assert.deepEqual([error.status, error.passing, error.gone], [status, passing, gone]);
  });
}

test("somebody else's page in place of the answer counts as not reached", async () => {
  answer = says(200, "<h1>Please sign in to the hotel network</h1>", { "Content-Type": "text/html" });
  assert.equal((await failure(new ChatClient(address).conversation("t", "c", never))).passing, true);
  assert.equal((await failure(new ChatClient(address).stream("t", "c", 0, never).next())).passing, true);
});

test("an answer that does not come is given up in time", async () => {
  answer = () => {};
  const error = await failure(new ChatClient(address, { timeout_ms: 30 }).conversation("t", "c", never));
  assert.deepEqual([error.code, error.passing], ["unreachable", true]);
});

test("a kit that is not there is an error like any other", async () => {
  assert.equal((await failure(new ChatClient("http://127.0.0.1:9/").conversation("t", "c", never))).code, "unreachable");
});

test("an empty answer is fine", async () => {
  answer = says(204, undefined);
  assert.equal(await new ChatClient(address).act("t", "c", "typing", {}, never), null);
});

test("a stream gives its frames, and an error when it falls silent", async () => {
  answer = (request, response) => {
    assert.equal(request.headers.accept, "text/event-stream");
    response.writeHead(200, { "Content-Type": "text/event-stream" }).write("event: typing\ndata: {}\n\n");
  };
  const stream = new ChatClient(address, { silence_ms: 50 }).stream("t", "c", 3, never);
  assert.equal((await stream.next()).value.event, "open");
  assert.equal((await stream.next()).value.event, "typing");
  assert.equal((await failure(stream.next())).passing, true);
});

test("a stream lives as long as there are signs of life", async () => {
  answer = (request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const beat = setInterval(() => response.write(": beat\n\n"), 20);
    setTimeout(() => response.end(clearInterval(beat)), 300);
  };
  let beats = 0;
  for await (const frame of new ChatClient(address, { silence_ms: 150 }).stream("t", "c", 0, never)) beats += frame.event === "beat" ? 1 : 0;
  assert.ok(beats >= 5, String(beats));
});

test("leaving a stream closes its connection", async () => {
  const closed = new Promise((resolve) => {
    answer = (request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).write(": hello\n\n");
      request.on("close", resolve);
    };
  });
  for await (const frame of new ChatClient(address).stream("t", "c", 0, never)) if (frame.event === "beat") break;
  await closed;
});
