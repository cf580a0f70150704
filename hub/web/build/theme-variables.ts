import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from '@mantine/core'
import type { Plugin } from 'vite'
import { theme, variablesOverTokens } from '../src/theme/theme.ts'

const name = 'virtual:theme-variables.css'

/** Writes Mantine's variables into a style file at build time; at run time they would need an inline style element. */
export function themeVariables(): Plugin {
  return {
    name: 'fernlab-theme-variables',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return undefined
      const merged = mergeMantineTheme(DEFAULT_THEME, theme)
      const base = defaultCssVariablesResolver(merged)
      const own = variablesOverTokens(merged)
      return convertCssVariables({
        variables: { ...base.variables, ...own.variables },
        light: { ...base.light, ...own.light },
        dark: { ...base.dark, ...own.dark },
      })
    },
  }
}
