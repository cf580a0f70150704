/** A camera on the network, and what it shows. */
import { spawnSync } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as assert from 'uvu/assert'

/** A JPEG file, grey all over. */
export function greyPicture(level: number): Buffer {
  return pictureOf(`color=c=0x${level.toString(16).padStart(2, '0').repeat(3)}:size=160x120`)
}

/** A JPEG file of 640 by 480 pixels with as much in it as a real one, another for each number. */
export function noisyPicture(number: number): Buffer {
  return pictureOf(`testsrc2=size=640x480,noise=alls=9:allf=t:all_seed=${number + 1}`)
}

function pictureOf(source: string): Buffer {
  const args = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', '1', '-q:v', '5']
  const { stdout, status, stderr } = spawnSync('ffmpeg', [...args, '-f', 'mjpeg', '-'])
  assert.is(status, 0, String(stderr))
  return stdout
}

/** A network camera: motion JPEG over HTTP, a picture when told. */
export async function startNetworkCamera() {
  const viewers = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=cut' })
    viewers.add(response)
    response.once('close', () => viewers.delete(response))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const head = (file: Buffer) => `--cut\r\nContent-Type: image/jpeg\r\nContent-Length: ${file.length}\r\n\r\n`
  return {
    /** How many look at it. */
    get viewers() {
      return viewers.size
    },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    show: (file: Buffer, bytes = file.length) => {
      for (const viewer of viewers) {
        viewer.cork()
        viewer.write(head(file))
        viewer.write(file.subarray(0, bytes))
        if (bytes === file.length) viewer.write('\r\n')
        viewer.uncork()
      }
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
