import type { CSSVariablesResolver, MantineColorsTuple } from '@mantine/core'
import { createTheme, defaultVariantColorsResolver, type VariantColorsResolver } from '@mantine/core'

const fern: MantineColorsTuple = [
  '#eef5ee',
  '#dcebde',
  '#b7d7bd',
  '#8fc39a',
  '#74b982',
  '#54a064',
  '#3f8a50',
  '#347645',
  '#2d6a3d',
  '#22532f',
]

const dark: MantineColorsTuple = [
  '#e9ebe6',
  '#c4c9c2',
  '#adb3ab',
  '#939a92',
  '#4a504a',
  '#2a2e2a',
  '#202320',
  '#191c19',
  '#121412',
  '#0d0f0d',
]

/** Text on a filled button: white by day, near black by night, where the fills are light. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const colours = defaultVariantColorsResolver(input)
  return input.variant === 'filled' ? { ...colours, color: 'var(--on-accent)' } : colours
}

/** Mantine's theme; colours of our own are CSS variables in tokens.css. */
export const theme = createTheme({
  primaryColor: 'fern',
  primaryShade: { light: 8, dark: 4 },
  colors: { fern, dark },
  variantColorResolver,
  fontFamily: "'Source Sans 3 Variable', 'Source Sans 3', 'Source Sans 3 Stand-in', system-ui, sans-serif",
  fontFamilyMonospace: "'Source Code Pro Variable', 'Source Code Pro', ui-monospace, monospace",
  headings: {
    fontWeight: '600',
    fontFamily: "'Source Sans 3 Variable', 'Source Sans 3 Stand-in', system-ui, sans-serif",
  },
  fontSizes: { xs: '12px', sm: '14px', md: '16px', lg: '20px', xl: '28px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '40px' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  defaultRadius: 'md',
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    // Scroll locking writes a style element, which the content security policy forbids.
    Modal: { defaultProps: { lockScroll: false, centered: true, transitionProps: { duration: 120 } } },
    // Mantine's is a `header`, which would be a second banner of the page.
    ModalHeader: { defaultProps: { role: 'presentation' } },
    // Opened where it stands, so that it is within the page's landmarks; its first entry gets the focus.
    Menu: {
      defaultProps: {
        transitionProps: { duration: 80 },
        shadow: 'md',
        withinPortal: false,
        withInitialFocusPlaceholder: false,
      },
    },
    Tooltip: { defaultProps: { transitionProps: { duration: 80 }, openDelay: 300, withArrow: true } },
  },
})

/** What Mantine's components use for paper, ink and lines: our tokens. */
export const variablesOverTokens: CSSVariablesResolver = () => {
  const both = {
    '--mantine-color-body': 'var(--paper)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-soft)',
    '--mantine-color-placeholder': 'var(--ink-faint)',
    '--mantine-color-anchor': 'var(--accent-ink)',
    '--mantine-color-error': 'var(--state-fault)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--sunken)',
    '--mantine-color-default-color': 'var(--ink)',
    '--mantine-color-default-border': 'var(--line-control)',
    '--mantine-color-disabled': 'var(--sunken)',
    '--mantine-color-disabled-color': 'var(--ink-faint)',
    '--mantine-color-disabled-border': 'var(--line)',
    '--mantine-color-fern-filled': 'var(--accent)',
    '--mantine-color-fern-filled-hover': 'var(--accent-hover)',
    '--mantine-primary-color-contrast': 'var(--on-accent)',
    '--mantine-color-fern-contrast': 'var(--on-accent)',
    '--mantine-color-fern-light': 'var(--accent-soft)',
    '--mantine-color-fern-light-hover': 'var(--accent-soft)',
    '--mantine-color-fern-light-color': 'var(--accent-ink)',
    '--mantine-color-fern-outline': 'var(--accent-ink)',
    '--mantine-color-fern-text': 'var(--accent-ink)',
    '--mantine-color-red-filled': 'var(--state-fault)',
    '--mantine-color-red-light-color': 'var(--state-fault)',
    '--mantine-color-red-text': 'var(--state-fault)',
    '--mantine-color-red-outline': 'var(--state-fault)',
  }
  return { variables: {}, light: both, dark: both }
}
