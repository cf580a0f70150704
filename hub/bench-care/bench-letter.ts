import type { Letter } from '../mail/mail.ts'
import { isTrouble, type TellableChange } from './whether-to-tell.ts'

/** What staff read when a bench goes out of use or is of use again. */
export function benchLetter(
  { at, state, reason }: TellableChange & { readonly reason: string | null },
  about: {
    readonly bench: { readonly id: string; readonly title: string | null }
    readonly person: { readonly name: string; readonly email: string }
    readonly site: string
    readonly publicUrl: string
  },
): Letter {
  const { bench, person, site, publicUrl } = about
  const name = bench.title === null ? bench.id : `${bench.title} (${bench.id})`
  const what = isTrouble(state) ? 'is out of use' : 'is of use again'
  return {
    to: person.email,
    subject: `${site}: ${name} ${what}`,
    text: `Hello ${person.name},

${name} ${what} since ${new Date(at).toISOString()}${reason === null ? '.' : `:\n\n${reason}`}

Its state and its history:

${publicUrl}/benches/${bench.id}

You get one letter for each change. Who does not want them turns them off on the page of benches, or with "fernlab bench letters off".
`,
  }
}
