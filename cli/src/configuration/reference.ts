import { configKeys, describeConfig } from '@sluice/runtime';
import { SluiceConfig } from './schema.ts';

/** The reference for a terminal: a paragraph a key. */
export function reference(): string {
  return configKeys(SluiceConfig)
    .map(({ key, unit, defaultValue, range, description }) => {
      const facts = [
        defaultValue === '' ? '' : `default ${defaultValue}`,
        range,
        unit === '' ? '' : `in ${unit}`,
      ].filter((fact) => fact !== '');
      return `${key}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}\n    ${description}`;
    })
    .join('\n');
}

/** docs/configuration.md, whole. */
export function referencePage(): string {
  return `# Configuration

\`sluice up --config sluice.yaml\` reads a YAML file, and so do \`sluice controller\`, \`sluice signaling\` and \`sluice media\`: one file does for all. Every key is optional, and one that does not exist stops the start with its line
and the nearest valid name. Dots are levels: \`media.udpPort\` is

    media:
      udpPort: 7882

This page is written by \`npm run docs\` from the schema; \`sluice config\` prints the same.

${describeConfig(SluiceConfig)}`;
}
