/**
 * What the hub itself says at the origin of a lab's own server: calm pages in the reader's language, or JSON for who asks
 * for it. They load nothing and run nothing.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

export type VisitNotice =
  | 'over'
  | 'not-open'
  | 'used'
  | 'not-yours'
  | 'other-open'
  | 'refused'
  | 'unreadable'
  | 'busy'
  | 'unreachable'
  | 'late'

interface Words {
  readonly title: string
  readonly text: string
}

const statusOf: Readonly<Record<VisitNotice, number>> = {
  over: 410,
  'not-open': 403,
  used: 403,
  'not-yours': 403,
  'other-open': 409,
  refused: 403,
  unreadable: 400,
  busy: 503,
  unreachable: 502,
  late: 504,
}

const english: Readonly<Record<VisitNotice, Words>> = {
  over: {
    title: 'Your session is over',
    text: 'The lab is free for others now. What you did is kept with your session.',
  },
  'not-open': { title: 'This page is not open', text: 'Open the lab from the page of your session.' },
  used: {
    title: 'This address has been used',
    text: 'It opens the lab once, within a minute. Open the lab again from the page of your session.',
  },
  'not-yours': { title: 'You no longer take part', text: 'This session goes on without you.' },
  'other-open': {
    title: 'Another lab is open in this browser',
    text: 'A browser shows one such lab at a time. When you go on, the other one’s tab shows this lab too.',
  },
  refused: { title: 'This address is not for browsers', text: 'Go back to the page before.' },
  unreadable: { title: 'This request can not be read', text: 'Go back to the page before.' },
  busy: { title: 'Too much at once', text: 'This session has too many requests under way. Try again in a moment.' },
  unreachable: {
    title: 'The lab does not answer',
    text: 'Its server can not be reached at the moment. Load this page again; if that does not help, tell the staff.',
  },
  late: {
    title: 'The lab takes too long',
    text: 'Its server has not answered in time. Load this page again; if that does not help, tell the staff.',
  },
}

const spanish: Readonly<Record<VisitNotice, Words>> = {
  over: {
    title: 'Tu sesión ha terminado',
    text: 'El laboratorio queda libre para otras personas. Lo que has hecho se guarda con tu sesión.',
  },
  'not-open': { title: 'Esta página no está abierta', text: 'Abre el laboratorio desde la página de tu sesión.' },
  used: {
    title: 'Esta dirección ya se ha usado',
    text: 'Abre el laboratorio una sola vez, durante un minuto. Vuelve a abrirlo desde la página de tu sesión.',
  },
  'not-yours': { title: 'Ya no participas', text: 'Esta sesión sigue sin ti.' },
  'other-open': {
    title: 'Hay otro laboratorio abierto en este navegador',
    text: 'Un navegador muestra un laboratorio así cada vez. Si sigues, la pestaña del otro también mostrará este.',
  },
  refused: { title: 'Esta dirección no es para navegadores', text: 'Vuelve a la página anterior.' },
  unreadable: { title: 'No se entiende esta petición', text: 'Vuelve a la página anterior.' },
  busy: {
    title: 'Demasiado a la vez',
    text: 'Esta sesión tiene demasiadas peticiones en curso. Vuelve a intentarlo en un momento.',
  },
  unreachable: {
    title: 'El laboratorio no responde',
    text: 'Ahora no se puede llegar a su servidor. Vuelve a cargar la página; si no ayuda, avisa al personal.',
  },
  late: {
    title: 'El laboratorio tarda demasiado',
    text: 'Su servidor no ha respondido a tiempo. Vuelve a cargar la página; si no ayuda, avisa al personal.',
  },
}

const links = {
  en: { session: 'To your session', hub: 'To the labs', goOn: 'Go on with this lab' },
  es: { session: 'A tu sesión', hub: 'A los laboratorios', goOn: 'Seguir con este laboratorio' },
} as const

export interface SayOptions {
  readonly notice: VisitNotice
  /** Of the request. */
  readonly accept: string | undefined
  readonly language: string | undefined
  /** The page of the session on the hub, or the hub. */
  readonly back: string
  readonly isSession: boolean
  /** Where somebody goes who wants to go on nevertheless. */
  readonly goOn?: string
  readonly headers?: OutgoingHttpHeaders
}

/** Of everything that the hub itself says here. */
export const saidHeaders: OutgoingHttpHeaders = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
}

/** Answers with the notice. */
export function say(response: ServerResponse, options: SayOptions): void {
  const { notice, accept = '', language = '', back, isSession, goOn, headers = {} } = options
  const tongue = firstLanguage(language)
  const { title, text } = (tongue === 'es' ? spanish : english)[notice]
  const words = links[tongue]
  const isPage = accept === '' || /text\/html|\*\/\*/.test(accept)
  const ways = [
    ...(goOn === undefined ? [] : [`<a class="main" href="${escaped(goOn)}">${words.goOn}</a>`]),
    `<a${goOn === undefined ? ' class="main"' : ''} href="${escaped(back)}">${isSession ? words.session : words.hub}</a>`,
  ]
  const body = isPage
    ? page({ tongue, title, text, ways })
    : `${JSON.stringify({ code: `visit-${notice}`, title, detail: text, back })}\n`
  response.writeHead(statusOf[notice], {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(body),
    ...saidHeaders,
    ...headers,
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function page({ tongue, title, text, ways }: { tongue: string; title: string; text: string; ways: readonly string[] }) {
  return `<!doctype html>
<html lang="${tongue}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
:root { color-scheme: light dark; --paper: #faf9f6; --ink: #1a1d1a; --soft: #50564f; --fern: #28633a; --on: #fff }
@media (prefers-color-scheme: dark) {
  :root { --paper: #121412; --ink: #e9ebe6; --soft: #adb3ab; --fern: #86c793; --on: #121412 }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif }
main { max-width: 30rem; padding: 2rem 1.5rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem }
p { margin: 0 0 1.5rem; color: var(--soft) }
nav { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: center }
a { color: var(--fern); padding: .6rem 0 }
a.main { background: var(--fern); color: var(--on); padding: .6rem 1.1rem; border-radius: .4rem; text-decoration: none }
a:focus-visible { outline: 3px solid var(--fern); outline-offset: 3px }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${text}</p>
<nav>${ways.join('')}</nav>
</main>
</body>
</html>
`
}

/** The first that there are words in. */
function firstLanguage(header: string): 'en' | 'es' {
  const found = /\b(en|es)\b/i.exec(header)?.[1]?.toLowerCase()
  return found === 'es' ? 'es' : 'en'
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0) ?? 0};`)
