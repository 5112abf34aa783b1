// A loop without a mind of its own: it connects to the test and passes on what that asks of the
// guard, through the real client. One line of JSON per message.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { connectGuard } from '../../../../dist/agent/guard/guard-client.js';

const LOST_STATUS = 9;

const socket = connect(process.env['RELAY_SOCKET'] ?? '');
/** @param {unknown} message */
const tell = (message) => socket.write(`${JSON.stringify(message)}\n`);

const guard = connectGuard(process, {
  onNotice: (notice) => tell({ notice }),
  onLost: () => process.exit(LOST_STATUS),
});
/** @type {unknown} */
const port = guard;
const methods = /** @type {Record<string, (argument: unknown) => Promise<unknown>>} */ (port);
tell({ pid: process.pid, incarnation: guard.incarnation });

createInterface({ input: socket }).on('line', (line) => {
  const { id, method, argument } = JSON.parse(line);
  if (method === 'exit') process.exit(argument);
  methods[method]?.(argument).then(
    (reply) => tell({ id, reply }),
    () => process.exit(1),
  );
});
socket.on('error', () => undefined);
