/** Takes away what has ended and would go on telling of people: sign-ins, links, trust in browsers, tokens for services, kept answers. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { ANSWERS_KEPT_MS } from '../api/idempotency.ts'
import type { Store } from '../store/store.ts'

/** What the clock says has ended is taken away so much later: a clock that was ahead for days ends nothing for good. */
export const SPARED_MS = 7 * 86_400_000

/** Removes what ended more than `SPARED_MS` ago; registrations that nobody finished are among it. */
export async function forgetExpired(
  { db, write }: Pick<Store, 'db' | 'write'>,
  clock: Pick<Clock, 'now'>,
): Promise<void> {
  const before = clock.now() - SPARED_MS
  await write([
    db.deleteFrom('session').where('expiresAt', '<', new Date(before).toISOString()),
    db.deleteFrom('address_link').where('expires_at', '<', before),
    db.deleteFrom('one_time').where('expires_at', '<', before),
    db.deleteFrom('trusted_browser').where('expires_at', '<', before),
    db.deleteFrom('service_token').where('expires_at', '<', before),
    db.deleteFrom('idempotency').where('created_at', '<', before - ANSWERS_KEPT_MS),
  ])
}
