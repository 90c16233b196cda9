import type { z } from 'zod';
import { NodeReport } from './fleet/node-report.ts';
import { SiteCertificate } from './fleet/site-certificate.ts';
import { Intent, RoomView } from './rooms/participant.ts';
import { ForwardTable, RouteTable } from './routes/tables.ts';
import { SessionSpec } from './session/session-spec.ts';
import { SessionStatus } from './session/session-status.ts';

/**
 * A kind of document on the bus: what it is called there and what it must look like. Every document has one writer,
 * stands under a scope (who reads it) and a key (which one it is), and carries an epoch and a generation that only
 * grow; see docs/protocols/documents.md.
 */
export interface DocumentKind<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
}

const kind = <S extends z.ZodType>(name: string, schema: S): DocumentKind<z.output<S>> => ({
  name,
  schema: schema as unknown as z.ZodType<z.output<S>>,
});

/** Scope: the room's name. Key: the participant's sid. */
export const intentDocument = kind('intent', Intent);
/** Scope and key: the room's name. */
export const roomViewDocument = kind('room-view', RoomView);
/** Scope: the site. Key: the session. The key is said once with body null when the session is no more. */
export const sessionSpecDocument = kind('session-spec', SessionSpec);
/** Scope: the room's id. Key: the session. */
export const sessionStatusDocument = kind('session-status', SessionStatus);
/** Scope and key: the node. */
export const forwardTableDocument = kind('forward-table', ForwardTable);
/** Scope and key: the node. */
export const routeTableDocument = kind('route-table', RouteTable);
/** Scope: the site. Key: the node. */
export const nodeReportDocument = kind('node-report', NodeReport);
/** Scope and key: the site. */
export const siteCertificateDocument = kind('site-certificate', SiteCertificate);

/** Every kind there is, for tools and tests. */
export const documentKinds = [
  intentDocument,
  roomViewDocument,
  sessionSpecDocument,
  sessionStatusDocument,
  forwardTableDocument,
  routeTableDocument,
  nodeReportDocument,
  siteCertificateDocument,
] as const;
