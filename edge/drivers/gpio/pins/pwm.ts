import type { Chip, PwmLine } from '../backends/backend.ts'
import type { PwmConfig } from '../gpio-config.ts'
import { gpioError } from '../gpio-errors.ts'
import type { OpenPin, PinParts } from './pin.ts'
import { softwarePwm } from './software-pwm.ts'

/** Takes the pin as a PWM output, off; hardware where the chip has it for the pin, else software. */
export async function openPwm(parts: PinParts<PwmConfig>): Promise<OpenPin> {
  const { name, config } = parts
  const { activeLow, initial } = config
  const dutyOf = (percent: number) => (activeLow ? 100 - percent : percent) / 100
  const off = dutyOf(0)
  const line = await takeLine(parts, off)
  let percent = 0
  const set = async (to: number) => {
    await line.write(dutyOf(to))
    percent = to
  }
  return {
    signals: { [name]: { read: async () => percent, set: (value) => set(Number(value)) } },
    remark: `${name}: ${line.how}`,
    begin: () => set(initial),
    close: () => line.close(off),
  }
}

async function takeLine({ name, config, chip, clock }: PinParts<PwmConfig>, duty: number): Promise<PwmLine> {
  const { pin, frequencyHz, hardware } = config
  const own = hardware ? await chip.pwm(pin, { frequencyHz, duty }) : undefined
  if (own !== undefined) return own
  checkSoftware(name, frequencyHz, chip)
  return softwarePwm({ line: await chip.output(pin, duty === 1), frequencyHz, duty, clock })
}

function checkSoftware(name: string, frequencyHz: number, chip: Chip): void {
  const { softwarePwmHz } = chip
  if (softwarePwmHz === undefined) {
    throw gpioError(
      'gpio-pwm-missing',
      `${name} has no hardware PWM, and ${chip.about} is too slow to make one of writes`,
    )
  }
  if (frequencyHz <= softwarePwmHz) return
  throw gpioError(
    'gpio-pwm-missing',
    `${name} has no hardware PWM here, and software makes ${softwarePwmHz} Hz at most, not ${frequencyHz} Hz; on a Pi add dtoverlay=pwm-2chan to /boot/firmware/config.txt for GPIO18 and GPIO19`,
  )
}
