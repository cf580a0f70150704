import * as z from 'zod'
import {
  type ApiAnswer,
  type ApiCall,
  issuesOfAnswer,
  issuesOfCall,
  issuesOfMessage,
} from '../../support/api-document.ts'

/** Notes what a page asks or a stand-in says that the hub's documents do not know; `require` throws it. */
export class KeptPromises {
  readonly #broken = new Set<string>()
  readonly #schemas = new Map<z.ZodType, z.core.JSONSchema.BaseSchema>()

  call(call: ApiCall): void {
    this.#note(`the page's ${call.method} ${call.path}`, issuesOfCall(call))
  }

  answer(call: ApiCall, answer: ApiAnswer): void {
    this.#note(`the stand-in's ${answer.status} to ${call.method} ${call.path}`, issuesOfAnswer(call, answer))
  }

  /** One that is not of HTTP. */
  message(what: string, schema: z.ZodType | undefined, message: unknown): void {
    if (schema === undefined) {
      this.#note(what, ['there is no such message'])
      return
    }
    const made = this.#schemas.get(schema) ?? z.toJSONSchema(schema)
    this.#schemas.set(schema, made)
    // As the other side reads it: what is undefined is not there.
    this.#note(what, issuesOfMessage(made, JSON.parse(JSON.stringify(message))))
  }

  require(): void {
    if (this.#broken.size > 0) throw new Error([...this.#broken].join('\n'))
  }

  #note(what: string, issues: readonly string[]): void {
    for (const issue of issues) this.#broken.add(`${what}: ${issue}`)
  }
}
