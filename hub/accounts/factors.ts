/** What counts as a second factor, for every question that asks. */
import type { ExpressionBuilder } from 'kysely'
import type { HubSchema } from '../store/schema.ts'

/** True of people with an authenticator app that is on. */
export function hasApp({ exists, selectFrom }: ExpressionBuilder<HubSchema, 'person'>) {
  const app = selectFrom('second_factor').select('second_factor.person_id')
  return exists(app.whereRef('second_factor.person_id', '=', 'person.id').where('confirmed_at', 'is not', null))
}

/** True of people with a passkey. */
export function hasPasskey({ exists, selectFrom }: ExpressionBuilder<HubSchema, 'person'>) {
  return exists(selectFrom('passkey').select('passkey.id').whereRef('passkey.person_id', '=', 'person.id'))
}

/** True of people with either: a passkey is used with PIN, finger or face, and so is two factors at once. */
export function hasSecondFactor(eb: ExpressionBuilder<HubSchema, 'person'>) {
  return eb.or([hasApp(eb), hasPasskey(eb)])
}
