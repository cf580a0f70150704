import * as z from 'zod'

const name = (what: string) => z.string().min(1).max(4096).describe(what)

/** ffmpeg speaks many protocols; these are those of cameras. A password would show in the list of processes. */
const cameraAddress = z
  .string()
  .max(4096)
  .regex(/^(https?|rtsp):\/\/[^\s@]+$/, 'must be http://, https:// or rtsp://, without a name and a password in it')
  .regex(/^[^?]*(\?(?!.*(pass|pwd|token|key|auth)).*)?$/i, 'must have no password in it: it would be seen by others')

const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('v4l2').describe('A camera on USB, or any other that Linux knows as /dev/video….'),
    path: name('The device: /dev/v4l/by-id/…, which stays when it is plugged elsewhere, or /dev/video0.').regex(
      /^\//,
      'must begin with /',
    ),
    format: z
      .enum(['mjpeg', 'yuyv422', 'yuv420p', 'h264'])
      .describe("What is asked of the camera. Default: the camera's own choice.")
      .exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('pi').describe("The Pi's own camera, by rpicam-vid."),
    camera: z.int().min(0).max(7).default(0).describe('Which of them. Default: 0.'),
  }),
  z.strictObject({
    kind: z.literal('network').describe('A camera on the network: motion JPEG over HTTP, or RTSP.'),
    url: cameraAddress.describe('Its address.'),
  }),
  z.strictObject({
    kind: z.literal('emulated').describe('A picture that ffmpeg makes itself, with the noise of a camera.'),
    shows: z
      .enum(['moving', 'still', 'black'])
      .default('moving')
      .describe('What it shows: something that moves, the same all the time, or nothing. Default: moving.'),
  }),
])
export type CameraSource = z.infer<typeof sourceSchema>

/** rpicam-vid writes lines of as many bytes as the image processor does: whole blocks of so many. */
const PI_STRIDE = 64

/** The schema of the config of `driver: camera`. */
export const cameraConfigSchema = z
  .strictObject({
    source: sourceSchema.describe('Where the pictures come from.'),
    width: z.int().min(16).max(3840).multipleOf(2).default(640).describe('Of a picture, in pixels. Default: 640.'),
    height: z.int().min(16).max(2160).multipleOf(2).default(480).describe('Of a picture, in pixels. Default: 480.'),
    rateHz: z.number().min(0.2).max(60).default(15).describe('How many pictures a second. Default: 15.'),
    quality: z
      .int()
      .min(2)
      .max(31)
      .default(7)
      .describe('Of a picture: 2 is best and takes most bytes, 31 is worst. Default: 7, about 30 kB at 640 by 480.'),
    delayMs: z
      .number()
      .min(0)
      .max(5000)
      .default(0)
      .describe('How long a picture takes from the scene to the node, for the times of pictures. Default: 0.'),
  })
  .refine(({ source, width }) => source.kind !== 'pi' || width % PI_STRIDE === 0, {
    error: `must be a multiple of ${PI_STRIDE} for the camera of a Pi, as 640, 1280 or 1920`,
    path: ['width'],
  })
export type CameraConfig = z.infer<typeof cameraConfigSchema>
