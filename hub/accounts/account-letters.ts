/**
 * Letters that take new people the link to choose a password.
 *
 * INVARIANTS: that one is due is a row in the write that makes its person, so no hub that was killed in between forgets it;
 * the row goes once the mail server has taken the letter, with a new link each time, and only the last one works; who has
 * chosen a password meanwhile gets none.
 */
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { createLossLog } from '../broker/loss-log.ts'
import type { LetterWriting } from '../mail/letter-writing.ts'
import { createRounds } from '../mail/rounds.ts'
import { IMPORT_LINK_MS } from './import-rows.ts'
import { makeOneTime } from './one-time.ts'

export interface AccountLetters {
  /** Looks now for what is due; repeated by itself. */
  look(): void
  /** Ends after the letter that is under way; what is still due goes out after the next start. */
  close(): Promise<void>
}

const TICK_MS = 10_000
/** One that was not taken waits so long: others may be. */
const AGAIN_MS = 10 * 60_000
/** So many one after the other that are not taken are the mail server's fault, not their addresses'. */
const MOST_REFUSED = 3
/** What no mail server took for so long is told in the log, and no more tried. */
const STALE_MS = 3 * 86_400_000
const AT_ONCE = 100

/** Writes letters until it is closed. */
export function createAccountLetters(options: LetterWriting): AccountLetters {
  const { store, mail, publicUrl, site, clock, log } = options
  const { db } = store
  const losses = createLossLog(log)

  const duePage = () =>
    db
      .selectFrom('account_letter')
      .innerJoin('user', 'user.id', 'account_letter.person_id')
      .leftJoin('account', 'account.userId', 'user.id')
      .select(['user.id', 'user.name', 'user.email', 'since', 'account.id as signsIn'])
      .where('due_at', '<=', clock.now())
      .orderBy('due_at')
      .orderBy('user.id')
      .limit(AT_ONCE)
      .execute()
  const settle = (personId: string) => store.write([db.deleteFrom('account_letter').where('person_id', '=', personId)])

  const send = async ({ id, name, email }: { id: string; name: string; email: string }) => {
    const secret = await makeOneTime({ store, clock, purpose: 'password-reset', subject: id, ttlMs: IMPORT_LINK_MS })
    const link = new URL(`/reset#token=${secret}`, publicUrl()).href
    await mail.send({
      to: email,
      subject: `${site}: your account`,
      text: `Hello ${name},\n\nyou have an account at ${site}. Open this link within two weeks and choose a password:\n\n${link}\n\nAfterwards sign in with this address at ${publicUrl()}.\n`,
    })
  }

  /** False where the mail server did not take it. */
  const handOver = async (due: Awaited<ReturnType<typeof duePage>>[number]): Promise<boolean> => {
    const { id, since, signsIn } = due
    try {
      if (signsIn === null) await send(due)
    } catch (error) {
      const { code, message } = asLabError(error)
      if (code !== 'mail-failed') throw error
      losses.lost('letters', { code, error: message }, 'letters about new accounts could not be sent; trying on')
      const isStale = clock.now() - since > STALE_MS
      if (isStale) log.error({ person: id }, 'no mail server took the letter about a new account; it is given up')
      const later = db
        .updateTable('account_letter')
        .set({ due_at: clock.now() + AGAIN_MS })
        .where('person_id', '=', id)
      await (isStale ? settle(id) : store.write([later]))
      return false
    }
    losses.recovered('letters', {}, 'letters about new accounts are taken again')
    await settle(id)
    return true
  }

  const work = async () => {
    let refused = 0
    while (mail.configured) {
      const page = await duePage()
      for (const due of page) {
        if (rounds.closed || refused === MOST_REFUSED) return
        refused = (await handOver(due)) ? 0 : refused + 1
      }
      if (page.length < AT_ONCE) return
    }
  }

  const rounds = createRounds({
    work,
    everyMs: TICK_MS,
    onFailure: (error) =>
      log.error({ error: asLabError(error).message }, 'letters about new accounts could not be written'),
    clock,
  })
  return { look: rounds.look, close: rounds.close }
}
