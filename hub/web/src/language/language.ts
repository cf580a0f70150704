import i18next, { type i18n } from 'i18next'
import { initReactI18next } from 'react-i18next'
import { en } from './en.ts'

/** The languages that the page speaks. */
export const languages = ['en', 'es'] as const
export type LanguageCode = (typeof languages)[number]

const storageKey = 'fernlab-language'

const isKnown = (code: string): code is LanguageCode => (languages as readonly string[]).includes(code)

/** The language that was chosen on this machine, else the browser's first that we speak, else English. */
export function preferredLanguage(
  chosen: string | null = localStorage.getItem(storageKey),
  wanted: readonly string[] = navigator.languages,
): LanguageCode {
  const codes = [chosen ?? '', ...wanted].map((tag) => tag.split('-')[0] ?? '')
  return codes.find(isKnown) ?? 'en'
}

/** The browser's own kind of a language, whose dates its person is used to: `en-GB` for `en`. */
export const regionOf = (language: string, wanted: readonly string[] = navigator.languages): string =>
  wanted.find((tag) => tag.split('-')[0] === language) ?? language

async function load(instance: i18n, code: LanguageCode): Promise<void> {
  if (code === 'es' && !instance.hasResourceBundle('es', 'translation')) {
    instance.addResourceBundle('es', 'translation', (await import('./es.ts')).es)
  }
}

/** Starts the translations in the preferred language; English comes with the page, others are fetched. */
export async function openLanguage(): Promise<i18n> {
  const instance = i18next.createInstance()
  await instance.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
  })
  const code = preferredLanguage()
  await load(instance, code)
  await instance.changeLanguage(code)
  document.documentElement.lang = code
  return instance
}

/** Switches the page to a language and remembers it on this machine. */
export async function switchLanguage(instance: i18n, code: LanguageCode): Promise<void> {
  await load(instance, code)
  localStorage.setItem(storageKey, code)
  document.documentElement.lang = code
  await instance.changeLanguage(code)
}
