const size = { width: 1200, height: 630 }

/** The picture that a link to the page is shown with: the mark, the name and a drawing of the demo labs', as a PNG. */
export async function socialPicture({ browser, http }) {
  const context = await browser.newContext({ viewport: size, colorScheme: 'light', locale: 'en-GB' })
  const page = await context.newPage()
  // The page has the fonts and the colours.
  await page.goto(`${http}/sign-in`)
  await page.waitForSelector('h1, h2')
  await page.evaluate(async () => {
    const place = (tag, left, top, more) => {
      const element = document.createElement(tag)
      Object.assign(element.style, { position: 'absolute', left: `${left}px`, top: `${top}px` })
      Object.assign(element.style, more.style)
      if (more.src !== undefined) Object.assign(element, { src: more.src, width: more.width })
      element.textContent = more.text ?? ''
      return element
    }
    const elements = [
      place('img', 72, 130, { src: '/favicon.svg', width: 150, style: {} }),
      place('div', 84, 316, { text: 'Fernlab', style: { fontSize: '92px', fontWeight: 600, lineHeight: '1.1' } }),
      place('div', 88, 430, {
        text: 'Real instruments, from anywhere',
        style: { fontSize: '34px', color: 'var(--ink-soft)' },
      }),
      place('img', 590, 150, { src: '/api/v1/labs/rc-circuit/files/picture.svg', width: 540, style: {} }),
    ]
    document.body.replaceChildren(...elements)
    await Promise.all(elements.filter(({ tagName }) => tagName === 'IMG').map((image) => image.decode()))
    await document.fonts.ready
  })
  const png = await page.screenshot()
  await context.close()
  return png
}
