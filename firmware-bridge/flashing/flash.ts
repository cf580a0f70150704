/** Firmware onto a board: with the method that its kind needs, tried again where that can help. */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { createAvr109Flasher } from './avr109/avr109-flasher.ts'
import { avrdudeFlasher } from './avrdude/avrdude-flasher.ts'
import { espFlasher } from './esp/esp-flasher.ts'
import { type FlashJob, type FlashResult, placeOf, SPOILT } from './flasher.ts'
import { stk500Flasher } from './stk500/stk500-flasher.ts'
import { createPicoFlasher } from './uf2/pico-flasher.ts'

const PAUSE_MS = 500

/**
 * Writes the job's firmware, in at most `attempts` tries; when it resolves, the firmware was verified and runs. Rejects
 * with the last try's error, at once where another try can not help. The port is free however it ends.
 */
export async function flash(job: FlashJob, attempts = 3): Promise<FlashResult> {
  let spoilt = false
  const tryOnce = flasherOf(job)
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryOnce()
    } catch (thrown) {
      if (job.signal.aborted) throw thrown
      const error = asLabError(thrown)
      spoilt ||= error.details.spoilt === true
      if (error.retry === 'never' || attempt >= attempts) throw spoilt ? asSpoilt(error) : error
      job.log.warn({ place: placeOf(job.transport), attempt, error: error.message }, 'flashing failed; trying again')
      await job.clock.sleep(PAUSE_MS * attempt, job.signal)
    }
  }
}

/** The error of a try that wrote nothing, after one that did not end what it had written. */
function asSpoilt(cause: LabError): LabError {
  const { code, kind, retry, message, details } = cause
  if (details.spoilt === true) return cause
  return new LabError({
    code,
    kind,
    retry,
    message: `${message}${SPOILT}`,
    details: { ...details, spoilt: true },
    cause,
  })
}

function flasherOf(job: FlashJob): () => Promise<FlashResult> {
  const { board } = job
  switch (board.method) {
    case 'stk500v1':
      return () => stk500Flasher.flash({ ...job, board })
    case 'avr109': {
      const leonardo = createAvr109Flasher()
      return () => leonardo.flash({ ...job, board })
    }
    case 'avrdude':
      return () => avrdudeFlasher.flash({ ...job, board })
    case 'esptool':
      return () => espFlasher.flash({ ...job, board })
    case 'uf2': {
      const pico = createPicoFlasher()
      return () => pico.flash({ ...job, board })
    }
  }
}
