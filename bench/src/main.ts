import { forwardingCommand } from './forwarding-command.ts';
import { peersCommand } from './peers/command.ts';

/** `npm run bench` measures the packet path beside the bare limit; `npm run bench -- peers` whole servers side by side. */
const [first, ...rest] = process.argv.slice(2);
if (first === 'peers') await peersCommand(rest);
else await forwardingCommand(process.argv.slice(2));
// Clients' ends hold the process open for as long as they say goodbye.
process.exit();
