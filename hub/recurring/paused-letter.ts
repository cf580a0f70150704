import type { LetterLanguage } from '@fernlab/shared/contracts/booking-notices'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { reasonIn } from '../mail/letter-reasons.ts'
import type { Letter } from '../mail/mail.ts'
import { mostRefusals } from './fire.ts'
import type { RecurringTable } from './tables.ts'

const english = {
  hello: (name: string) => `Hello ${name},`,
  subject: (name: string) => `“${name}” was paused`,
  why: (name: string, protocol: string, lab: string) =>
    `your recurring run “${name}” (${protocol} of ${lab}) was refused ${mostRefusals} times in a row, and is paused. The last time because:`,
  resume: 'When that is mended, resume it here:',
}
const spanish: typeof english = {
  hello: (name) => `Hola, ${name}:`,
  subject: (name) => `«${name}» está en pausa`,
  why: (name, protocol, lab) =>
    `tu ejecución periódica «${name}» (${protocol} de ${lab}) se rechazó ${mostRefusals} veces seguidas y está en pausa. La última vez, por esto:`,
  resume: 'Cuando esté arreglado, reanúdalo aquí:',
}
const words: Readonly<Record<LetterLanguage, typeof english>> = { en: english, es: spanish }

/** What the owner reads, in their language, whose recurring run was refused so often that it was paused. */
export function pausedLetter(
  { id, name, lab, protocol }: RecurringTable,
  about: {
    readonly person: { readonly name: string; readonly email: string }
    readonly language: LetterLanguage
    readonly error: LabError
    readonly site: string
    readonly publicUrl: string
  },
): Letter {
  const { person, language, error, site, publicUrl } = about
  const said = words[language]
  return {
    to: person.email,
    subject: `${site}: ${said.subject(name)}`,
    text: `${said.hello(person.name)}

${said.why(name, protocol, lab)}

${reasonIn(error.studentMessage, language, (ms) => new Date(ms).toISOString())}

${said.resume}

${publicUrl}/recurring/${id}
`,
  }
}
