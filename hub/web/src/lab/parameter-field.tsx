import { Checkbox, NativeSelect, Slider, TextInput } from '@mantine/core'
import { quantityIn, unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './lab.module.css'
import { type Checked, type Parameter, sliderOf } from './parameters.ts'

interface Props {
  readonly parameter: Parameter
  readonly input: string | boolean
  readonly checked: Checked
  /** What the hub said about this field. */
  readonly refused: string | undefined
  /** Where the slider stands while nothing is typed. */
  readonly standing?: number | undefined
  readonly disabled?: boolean
  readonly onChange: (input: string | boolean) => void
}

type Words = ReturnType<typeof useWords>

const steps = 200

/** One parameter: its name, unit, limits, help, and beside it what is wrong with what was typed. */
export function ParameterField({ parameter, input, checked, refused, standing, disabled, onChange }: Props) {
  const words = useWords()
  const label = words.text(parameter.title) || parameter.name
  const help = words.text(parameter.description)
  const unit = unitText(parameter.unit)
  const error = refused ?? ('error' in checked ? checked.error : undefined)
  if (typeof input === 'boolean') {
    return (
      <Checkbox
        label={label}
        description={help}
        checked={input}
        error={error}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    )
  }
  if (parameter.enum !== undefined) {
    return (
      <NativeSelect
        label={label}
        description={help}
        value={input}
        error={error}
        data={parameter.enum.map(String)}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    )
  }
  const slider = sliderOf(parameter)
  const typed = 'value' in checked && typeof checked.value === 'number' ? checked.value : undefined
  const placed = input === '' ? standing : 'error' in checked ? checked.read : typed
  const converted =
    typed !== undefined && /[a-zA-Zµ°Ω%]/.test(input) ? quantityIn(words.t, typed, parameter.unit ?? '1') : ''
  return (
    <div className={styles.field}>
      <TextInput
        label={
          <span className={styles.label}>
            <span>{label} </span>
            <span className={styles.limits}>{limitsText(parameter, words)}</span>
          </span>
        }
        labelProps={{ className: styles.labelLine }}
        description={help === '' ? undefined : help}
        value={input}
        error={error}
        inputMode={parameter.type === 'string' ? 'text' : 'decimal'}
        autoComplete="off"
        spellCheck={false}
        classNames={{ input: styles.input ?? '' }}
        rightSection={unit === '' ? undefined : <span className={styles.unit}>{unit}</span>}
        rightSectionWidth={unit === '' ? undefined : 20 + unit.length * 9}
        rightSectionPointerEvents="none"
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {converted === '' ? null : <span className={styles.reads}>{words.t('field.reads', { value: converted })}</span>}
      {slider === undefined ? null : (
        <Slider
          size="xs"
          label={null}
          thumbLabel={words.t('lab.slider', { name: label })}
          {...scaleOf(slider, parameter)}
          disabled={disabled ?? false}
          value={toSlider(placed ?? slider.low, slider)}
          thumbValueText={placed === undefined ? '' : quantityIn(words.t, placed, parameter.unit ?? '1')}
          onChange={(position) => onChange(fromSlider(position, slider, parameter))}
        />
      )}
    </div>
  )
}

type Span = NonNullable<ReturnType<typeof sliderOf>>

const grainOf = ({ multipleOf, type }: Parameter) => multipleOf ?? (type === 'integer' ? 1 : undefined)

/** What a linear slider says to screen readers are the values themselves; a logarithmic one counts its places. */
function scaleOf({ low, high, logarithmic }: Span, parameter: Parameter) {
  if (logarithmic) return { min: 0, max: steps, step: 1 }
  return { min: low, max: high, step: grainOf(parameter) ?? (high - low) / steps }
}

function toSlider(value: number, { low, high, logarithmic }: Span): number {
  if (!logarithmic) return Math.min(high, Math.max(low, value))
  if (value <= low) return 0
  return Math.min(steps, Math.round((Math.log(value / low) / Math.log(high / low)) * steps))
}

/** A number with few digits near the slider's place, and exactly the limit at its ends. */
function fromSlider(position: number, { low, high, logarithmic }: Span, parameter: Parameter): string {
  if (position <= (logarithmic ? 0 : low)) return String(low)
  if (position >= (logarithmic ? steps : high)) return String(high)
  const value = logarithmic ? low * (high / low) ** (position / steps) : position
  const grain = grainOf(parameter)
  if (grain !== undefined) return String(Number((Math.round(value / grain) * grain).toPrecision(12)))
  if (logarithmic) return String(Number(value.toPrecision(2)))
  const digits = Math.max(0, Math.ceil(-Math.log10((high - low) / steps)))
  return String(Number(value.toFixed(Math.min(12, digits))))
}

function limitsText(parameter: Parameter, { t }: Words): string {
  const low = parameter.minimum ?? parameter.exclusiveMinimum
  const high = parameter.maximum ?? parameter.exclusiveMaximum
  const unit = parameter.unit ?? '1'
  if (low !== undefined && high !== undefined) {
    return t('lab.range', { low: sharing(t, low, high, unit), high: quantityIn(t, high, unit) })
  }
  if (low !== undefined) return t('lab.atLeast', { low: quantityIn(t, low, unit) })
  return high === undefined ? '' : t('lab.atMost', { high: quantityIn(t, high, unit) })
}

/** `0.1` of `0.1 to 10 V`: the unit stands once where both ends have the same. */
function sharing(t: Words['t'], low: number, high: number, unit: string): string {
  const lowText = quantityIn(t, low, unit)
  const highUnit = quantityIn(t, high, unit).split(/[\u2009\u202f]/)[1]
  const [number, lowUnit] = lowText.split(/[\u2009\u202f]/)
  return low === 0 || lowUnit === highUnit ? (number ?? lowText) : lowText
}
