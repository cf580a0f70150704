/** What ffmpeg is asked to do. Source: ffmpeg's manual, ffmpeg(1), ffmpeg-devices(1), ffmpeg-formats(1). */
import type { CameraConfig } from './config.ts'

/** Of the small grey picture that brightness is read from, on pipe 3; a picture on pipe 1 has one each. */
export const GREY = { width: 32, height: 24, bytes: 32 * 24 } as const

export interface CameraCommands {
  /** Whose output is ffmpeg's input. */
  readonly before?: readonly [string, ...string[]]
  readonly ffmpeg: readonly string[]
}

/** Pure. JPEG files in MIME parts on standard output, grey pictures on pipe 3; each is written as soon as it is made. */
export function cameraCommands(config: CameraConfig): CameraCommands {
  const { width, height, quality } = config
  const input = inputOf(config)
  const filters = [
    // Where the source has another shape, it is not stretched.
    `[0:v]scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:-1:-1,format=yuvj420p`,
    `split=2[shown][small];[small]scale=${GREY.width}:${GREY.height}:flags=area,format=gray[grey]`,
  ]
  return {
    ...(input.before === undefined ? {} : { before: input.before }),
    ffmpeg: [
      ...['-nostdin', '-hide_banner', '-loglevel', 'error'],
      ...['-fflags', 'nobuffer', '-flags', 'low_delay', '-probesize', '32768', '-analyzeduration', '0'],
      ...input.args,
      ...['-an', '-filter_complex', filters.join(',')],
      ...['-map', '[shown]', '-fps_mode', 'passthrough', '-c:v', 'mjpeg', '-q:v', String(quality)],
      ...['-flush_packets', '1', '-f', 'mpjpeg', 'pipe:1'],
      ...['-map', '[grey]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo'],
      ...['-flush_packets', '1', '-f', 'rawvideo', 'pipe:3'],
    ],
  }
}

function inputOf({ source, width, height, rateHz }: CameraConfig): {
  readonly before?: readonly [string, ...string[]]
  readonly args: readonly string[]
} {
  const size = `${width}x${height}`
  switch (source.kind) {
    case 'v4l2': {
      const format = source.format === undefined ? [] : ['-input_format', source.format]
      const asked = ['-framerate', String(rateHz), '-video_size', size]
      return { args: ['-f', 'v4l2', ...format, ...asked, '-i', source.path] }
    }
    case 'pi': {
      const camera = ['--camera', String(source.camera), '--nopreview', '--timeout', '0', '--flush']
      const shape = ['--width', String(width), '--height', String(height), '--framerate', String(rateHz)]
      return {
        before: ['rpicam-vid', ...camera, ...shape, '--codec', 'yuv420', '--output', '-'],
        args: ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-framerate', String(rateHz), '-video_size', size, '-i', '-'],
      }
    }
    case 'network': {
      const over = source.url.startsWith('rtsp') ? ['-rtsp_transport', 'tcp'] : ['-f', 'mpjpeg']
      return { args: [...over, '-timeout', '5000000', '-i', source.url] }
    }
    case 'emulated':
      return { args: ['-re', '-f', 'lavfi', '-i', emulated(source.shows, size, rateHz)] }
  }
}

function emulated(shows: 'moving' | 'still' | 'black', size: string, rateHz: number): string {
  const shape = `size=${size}:rate=${rateHz}`
  // A sensor's noise is new in every picture; a camera that has hung sends the same one again.
  if (shows === 'moving') return `testsrc2=${shape},noise=alls=6:allf=t`
  return shows === 'still' ? `smptebars=${shape}` : `color=c=black:${shape},noise=alls=2:allf=t`
}
