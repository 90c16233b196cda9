import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeReport, SiteCertificate } from '@sluice/contracts';
import { siteTransport } from './site-watch.ts';

const report = (over: Partial<NodeReport>): NodeReport =>
  ({ draining: false, publicAddresses: [], ...over }) as NodeReport;
const at = (address: string, port = 7882): { address: string; port: number } => ({ address, port });
const fingerprint = (algorithm: 'sha-256' | 'sha-512') => ({ algorithm, value: 'AB' });
const certificate = { fingerprints: [fingerprint('sha-512'), fingerprint('sha-256')] } as SiteCertificate;

test('site: it is unknown until a node and the certificate are', () => {
  assert.equal(siteTransport([], certificate), undefined);
  assert.equal(siteTransport([report({})], certificate), undefined);
  assert.equal(siteTransport([report({ publicAddresses: [at('192.0.2.1')] })], undefined), undefined);
});

test('site: candidates are the addresses of all nodes, each once; the fingerprint is the SHA-256 one', () => {
  const reports = [
    report({ publicAddresses: [at('192.0.2.1'), at('2001:db8::1')] }),
    report({ publicAddresses: [at('192.0.2.1'), at('192.0.2.1', 7883)] }),
  ];
  assert.deepEqual(siteTransport(reports, certificate), {
    addresses: [at('192.0.2.1'), at('2001:db8::1'), at('192.0.2.1', 7883)],
    fingerprint: fingerprint('sha-256'),
  });
});

test('site: nodes that drain get nobody new while there are others', () => {
  const draining = report({ draining: true, publicAddresses: [at('192.0.2.9')] });
  const staying = report({ publicAddresses: [at('192.0.2.1')] });
  assert.deepEqual(siteTransport([draining, staying], certificate)?.addresses, [at('192.0.2.1')]);
  assert.deepEqual(siteTransport([draining], certificate)?.addresses, [at('192.0.2.9')]);
});
