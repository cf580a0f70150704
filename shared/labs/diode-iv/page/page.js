import { connect } from '/fernlab.js'

const texts = {
  es: {
    circuit: 'Fuente, interruptor, resistencia, amperímetro y diodo en anillo',
    on: 'Fuente encendida',
    voltage: 'Tensión de la fuente',
    curve: 'Corriente frente a tensión del diodo, tal como se recorrió',
    log: 'Logarítmica',
    clear: 'Borrar los puntos',
    save: 'Guardar las lecturas',
    watching: 'Los mandos no son tuyos: estás mirando.',
  },
}
const watching = 'The controls are not yours: you look on.'

const at = (id) => document.getElementById(id)
const svg = (name, attributes) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

// The field of the curve: 0 to 1 V, and 0 to 25 mA or 10 nA to 100 mA.
const field = { left: 56, top: 12, width: 412, height: 260 }
const isLog = () => at('log').checked
const x = (volts) => field.left + volts * field.width
const y = (amperes) => {
  const part = isLog() ? (Math.log10(Math.max(amperes, 1e-9)) + 8) / 7 : amperes / 0.025
  return field.top + field.height * (1 - part)
}
const points = []
const mostPoints = 400

function drawGrid() {
  const lines = []
  for (let step = 0; step <= 5; step++) {
    lines.push(svg('path', { class: 'gridline', d: `M${x(step / 5)} ${field.top}v${field.height}` }))
    const text = svg('text', { class: 'tick', x: x(step / 5), y: field.top + field.height + 20 })
    text.textContent = `${(step / 5).toFixed(1)} V`
    lines.push(text)
  }
  const levels = isLog()
    ? [
        [1e-8, '10 nA'],
        [1e-6, '1 µA'],
        [1e-4, '100 µA'],
        [1e-2, '10 mA'],
      ]
    : [
        [0, '0 mA'],
        [0.005, '5 mA'],
        [0.01, '10 mA'],
        [0.015, '15 mA'],
        [0.02, '20 mA'],
        [0.025, '25 mA'],
      ]
  for (const [level, name] of levels) {
    lines.push(svg('path', { class: 'gridline', d: `M${field.left} ${y(level)}h${field.width}` }))
    const text = svg('text', { class: 'tick end', x: field.left - 6, y: y(level) + 4 })
    text.textContent = name
    lines.push(text)
  }
  at('grid').replaceChildren(...lines)
}

const dot = ([volts, amperes]) => svg('circle', { class: 'point', cx: x(volts), cy: y(amperes), r: 3 })
const drawPoints = () => at('points').replaceChildren(...points.map(dot))

/** A point where the last is not: holding still draws nothing. */
function addPoint(volts, amperes) {
  const [lastVolts = -1, lastAmperes = -1] = points.at(-1) ?? []
  if (Math.hypot(x(volts) - x(lastVolts), y(amperes) - y(lastAmperes)) < 4) return
  points.push([volts, amperes])
  at('points').append(dot([volts, amperes]))
  if (points.length <= mostPoints) return
  points.shift()
  at('points').firstChild.remove()
}

/** What supply and resistor allow: the diode's curve crosses it where the circuit rests. */
function drawLoad(supply) {
  const line = Array.from({ length: 41 }, (_, i) => i / 40).filter((volts) => volts <= supply)
  at('load').setAttribute(
    'd',
    line.map((volts, i) => `${i ? 'L' : 'M'}${x(volts)} ${y((supply - volts) / 100)}`).join(''),
  )
}

const inVolts = (volts) => `${volts.toFixed(3)} V`
function inAmperes(amperes) {
  const [scale, unit] = Math.abs(amperes) >= 1e-3 ? [1e3, 'mA'] : Math.abs(amperes) >= 1e-6 ? [1e6, 'µA'] : [1e9, 'nA']
  return `${(amperes * scale).toFixed(2)} ${unit}`
}

const session = await connect()

function translate() {
  for (const element of document.querySelectorAll('[data-text]')) {
    element.dataset.english ??= element.textContent
    element.textContent = texts[session.language]?.[element.dataset.text] ?? element.dataset.english
  }
}

function showState() {
  translate()
  for (const id of ['output', 'voltage']) at(id).disabled = !session.ready
  at('news').textContent = session.ready ? '' : (texts[session.language]?.watching ?? watching)
}

function show(values) {
  const supply = values['psu.voltage']
  const across = values['voltmeter.voltage']
  const current = values['ammeter.current']
  const on = values['psu.output'] === true
  document.body.toggleAttribute('data-on', on)
  document.body.toggleAttribute('data-flows', on && current > 1e-5)
  if (document.activeElement !== at('output')) at('output').checked = on
  if (supply !== undefined) {
    at('supply').textContent = inVolts(supply)
    if (document.activeElement !== at('voltage')) at('voltage').value = supply
    at('asked').textContent = `${Number(at('voltage').value).toFixed(2)} V`
    drawLoad(on ? supply : 0)
  }
  if (across === undefined || current === undefined) return
  at('across').textContent = inVolts(across)
  at('current').textContent = inAmperes(current)
  at('now').setAttribute('cx', x(across))
  at('now').setAttribute('cy', y(current))
  if (on) addPoint(across, current)
}

const tellWhy = (work) =>
  work.then(
    () => (at('news').textContent = ''),
    (error) => (at('news').textContent = error.message),
  )
at('output').addEventListener('change', () => tellWhy(session.set('psu.output', at('output').checked)))
at('voltage').addEventListener('input', () => {
  at('asked').textContent = `${Number(at('voltage').value).toFixed(2)} V`
  void tellWhy(session.set('psu.voltage', Number(at('voltage').value)))
})
at('log').addEventListener('change', () => {
  drawGrid()
  drawPoints()
  show(session.values)
})
at('clear').addEventListener('click', () => {
  points.length = 0
  drawPoints()
})
at('save').addEventListener('click', () => tellWhy(session.files.download('readings')))

drawGrid()
showState()
session.on('state', showState)
session.on('signals', show)
