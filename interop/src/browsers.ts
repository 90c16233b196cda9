import { existsSync } from 'node:fs';
import puppeteer, { type Browser } from 'puppeteer-core';

export type BrowserName = 'chromium' | 'firefox';

const executables: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
};

/** Where the browser is on this machine; `SLUICE_CHROMIUM` and `SLUICE_FIREFOX` name others. */
export function browserExecutable(name: BrowserName): string | undefined {
  const named = process.env[`SLUICE_${name.toUpperCase()}`];
  return [...(named === undefined ? [] : [named]), ...executables[name]].find((path) => existsSync(path));
}

/** Starts a headless browser with a fake camera and microphone that nobody is asked about. */
export async function launchBrowser(name: BrowserName): Promise<Browser> {
  const executablePath = browserExecutable(name);
  if (executablePath === undefined) throw new Error(`${name} is not installed`);
  return name === 'chromium' ? await launchChromium(executablePath) : await launchFirefox(executablePath);
}

async function launchChromium(executablePath: string): Promise<Browser> {
  return await puppeteer.launch({
    browser: 'chrome',
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream=fps=30',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      // Loopback addresses instead of mDNS names: nobody answers those here.
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--disable-gpu',
      '--mute-audio',
    ],
  });
}

async function launchFirefox(executablePath: string): Promise<Browser> {
  return await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.peerconnection.ice.loopback': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      // Fake devices are enough; the H.264 plug-in would be a download.
      'media.gmp-manager.updateEnabled': false,
    },
  });
}
