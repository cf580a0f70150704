import type { Gpio } from 'onoff'
import { gpioError } from '../gpio-errors.ts'

/** The class by which onoff has a line. */
export type Onoff = typeof Gpio

/** onoff, which needs a package that is compiled on the machine; rejects with `onoff-missing`, which says how. */
export async function loadOnoff(): Promise<Onoff> {
  try {
    const { Gpio: onoff } = await import('onoff')
    return onoff
  } catch (cause) {
    throw gpioError(
      'onoff-missing',
      'sysfs pins need the package onoff with its compiled part, epoll, which is not here; in the folder of the node type: sudo apt install python3 make g++ && npm install && npm rebuild epoll --ignore-scripts=false; or use backend: gpiod',
      cause,
    )
  }
}
