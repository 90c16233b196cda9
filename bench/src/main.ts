import { forwardingCommand } from './forwarding-command.ts';
import { peersCommand } from './peers/command.ts';

// Whoever is interrupted: whatever was started ends, and folders are gone.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

/** `npm run bench` measures the packet path beside the bare limit; `npm run bench -- peers` whole servers side by side. */
const [first, ...rest] = process.argv.slice(2);
if (first === 'peers') await peersCommand(rest);
else await forwardingCommand(process.argv.slice(2));
// Clients' ends hold the process open for as long as they say goodbye.
process.exit();
