/** What people at the desk do with their own account: change their password, see where they are signed in, and end that. */

export class OwnAccount {
  /** @param {import("./desk-app.js").DeskApp} app */
  constructor(app) {
    this.app = app;
  }

  open() {
    this.app.dispatch({ type: "account_opened" });
    if (this.app.signedIn) this.refresh();
  }

  leave() {
    this.app.dispatch({ type: "account_left" });
  }

  /** Look again where this person is signed in. */
  refresh() {
    return this.#work(() => this.#fetchSessions());
  }

  /** Ending a session asks for the password first. @param {import("./desk-state.js").OwnSession} [session] none: all others */
  askToEnd(session) {
    this.app.dispatch({ type: "dialog_opened", kind: session ? "end_session" : "end_others", session });
  }

  /** @param {string} id @param {string} password */
  end(id, password) {
    return this.#end(() => this.app.client.endSession(id, password).catch(goneIsEnded), "session_ended");
  }

  /** @param {string} password */
  endOthers(password) {
    return this.#end(() => this.app.client.endOtherSessions(password), "sessions_ended");
  }

  async #end(call, notice) {
    this.app.dispatch({ type: "end_refused", problem: null });
    this.app.dispatch({ type: "work_began", what: "end" });
    await this.#work(async () => {
      try {
        await call();
      } catch (problem) {
        if (problem.code !== "wrong_credentials" && problem.status !== 429) throw problem;
        return this.app.dispatch({ type: "end_refused", problem: reason(problem), waitS: problem.retryAfterS });
      }
      this.app.dispatch({ type: "dialog_closed" });
      this.app.dispatch({ type: "noticed", name: notice });
      await this.#fetchSessions();
    });
    this.app.dispatch({ type: "work_ended" });
  }

  /** @returns {Promise<boolean>} whether it is the new one now */
  async changePassword(current, chosen, again) {
    if (chosen !== again) return this.#refused("differ");
    this.app.dispatch({ type: "password_sent" });
    this.app.link.stop(); // the stream ends with the old session, and must not come back before the new one is here
    try {
      this.#changed(await this.app.client.changePassword(current, chosen));
      return true;
    } catch (problem) {
      if (typeof problem?.status !== "number") throw problem; // a mistake of ours, not of the call
      return problem.status === 401 && problem.code !== "wrong_credentials" ? this.#expired() : this.#refused(reason(problem), problem.retryAfterS);
    } finally {
      if (this.app.atWork) this.app.link.start();
    }
  }

  #changed(staff) {
    const forced = this.app.state.staff.mustChoosePassword;
    this.app.dispatch({ type: "password_changed", staff });
    this.app.dispatch({ type: "noticed", name: "password_changed" });
    if (forced) this.app.enter(staff);
    else this.refresh();
  }

  #refused(problem, waitS = 0) {
    this.app.dispatch({ type: "password_refused", problem, waitS });
    return false;
  }

  #expired() {
    this.#refused(null);
    this.app.expire();
    return false;
  }

  async #fetchSessions() {
    if (!this.app.state.staff?.mustChoosePassword) this.app.dispatch({ type: "sessions_came", sessions: await this.app.client.ownSessions() });
  }

  async #work(call) {
    try {
      await call();
    } catch (problem) {
      this.app.failed(problem);
    }
  }
}

/** Somebody else ended it first: that was the wish. */
function goneIsEnded(problem) {
  if (problem.status !== 404) throw problem;
}

function reason(problem) {
  if (problem.status === 429) return "rate_limited";
  if (problem.code === "password_refused") return problem.detail?.reason ?? "other";
  return ["wrong_credentials", "unreachable"].includes(problem.code) ? problem.code : "other";
}
