import { ffmpegModules } from '../../support/kernel/in-guest/ffmpeg.ts'
import type { GuestNeed } from '../../support/kernel/need.ts'

/** A webcam that shows test bars with the time, and beside it, as on real ones, a device that gives no pictures. */
export const need: GuestNeed = {
  modules: [...ffmpegModules, 'vivid n_devs=1 node_types=0x20001 num_inputs=1 input_types=0'],
  ffmpeg: true,
}
