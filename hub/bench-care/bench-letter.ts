import type { LetterLanguage } from '@fernlab/shared/contracts/booking-notices'
import { reasonIn } from '../mail/letter-reasons.ts'
import type { Letter } from '../mail/mail.ts'
import { isTrouble, type TellableChange } from './whether-to-tell.ts'

const english = {
  hello: (name: string) => `Hello ${name},`,
  out: 'is out of use',
  again: 'is of use again',
  since: 'since',
  found: 'What was found:',
  more: 'Its state and its history:',
  off: 'You get one letter for each change. Who does not want them turns them off on the page of benches, or with "fernlab bench letters off".',
}
const spanish: typeof english = {
  hello: (name) => `Hola, ${name}:`,
  out: 'está fuera de uso',
  again: 'vuelve a estar en uso',
  since: 'desde',
  found: 'Lo que se encontró:',
  more: 'Su estado y su historial:',
  off: 'Recibes una carta por cada cambio. Quien no las quiera las desactiva en la página de bancos, o con «fernlab bench letters off».',
}
const words: Readonly<Record<LetterLanguage, typeof english>> = { en: english, es: spanish }

/** What staff read when a bench goes out of use or is of use again, in their language; times are of UTC. */
export function benchLetter(
  {
    at,
    state,
    reason,
    run_id: run,
  }: TellableChange & { readonly reason: string | null; readonly run_id: string | null },
  about: {
    readonly bench: { readonly id: string; readonly title: string | null }
    readonly person: { readonly name: string; readonly email: string }
    readonly language: LetterLanguage
    readonly site: string
    readonly publicUrl: string
  },
): Letter {
  const { bench, person, language, site, publicUrl } = about
  const said = words[language]
  const name = bench.title === null ? bench.id : `${bench.title} (${bench.id})`
  const what = isTrouble(state) ? said.out : said.again
  const timeOf = (ms: number) => new Date(ms).toISOString()
  const why = reason === null ? '.' : `:\n\n${reasonIn(reason, language, timeOf)}`
  return {
    to: person.email,
    subject: `${site}: ${name} ${what}`,
    text: `${said.hello(person.name)}

${name} ${what} ${said.since} ${timeOf(at)}${why}
${run === null ? '' : `\n${said.found}\n\n${publicUrl}/runs/${run}\n`}
${said.more}

${publicUrl}/benches/${bench.id}

${said.off}
`,
  }
}
