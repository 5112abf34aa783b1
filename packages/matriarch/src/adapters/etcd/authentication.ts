import { type Answer, type EtcdChannel } from './etcd-channel.ts';
import type { EtcdLog } from './etcd-options.ts';
import { Auth } from './gen/etcd_pb.ts';

const NOT_ENABLED = 'authentication is not enabled';

export interface AuthenticationOptions {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly log: EtcdLog;
}

/**
 * Holds the token that etcd gives for a user name and password. A token is good at every member,
 * until it expires, is refused, or all members have been restarted.
 */
export class Authentication {
  readonly #username: string | undefined;
  readonly #password: string;
  readonly #log: EtcdLog;
  #token: string | undefined;
  /** The store has told us that it wants no passwords. */
  #needless = false;

  constructor({ username, password, log }: AuthenticationOptions) {
    this.#username = username;
    this.#password = password ?? '';
    this.#log = log;
  }

  /** The token to send, or undefined where none is needed. Asks for one when there is none. */
  async token(channel: EtcdChannel, limitMs: number): Promise<Answer<string | undefined>> {
    if (this.#username === undefined || this.#needless || this.#token !== undefined) {
      return { kind: 'answered', message: this.#token };
    }
    const request = { name: this.#username, password: this.#password };
    const answer = await channel.ask(Auth.method.authenticate, request, { limitMs });
    if (answer.kind === 'answered') {
      this.#token = answer.message.token;
      return { kind: 'answered', message: this.#token };
    }
    const { failure } = answer;
    if (failure.cause.includes(NOT_ENABLED)) {
      this.#needless = true;
      this.#log('warn', 'store wants no password, the configured one is not used', {
        endpoint: channel.endpoint,
      });
      return { kind: 'answered', message: undefined };
    }
    // Asking for a token changes nothing, whatever became of the request.
    return { kind: 'lost', failure: { ...failure, effect: 'none' } };
  }

  /** To be called when a request with this token was refused for it. */
  forget(token: string | undefined): void {
    this.#needless = false;
    if (this.#token === token) this.#token = undefined;
  }
}
