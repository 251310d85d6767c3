// The script of a report, run by a browser. Reads the report from the page, shows it, and keeps the marks a person sets
// in the browser's storage until they are copied as commands. It asks nobody for anything but the pictures.
const report = JSON.parse(document.getElementById('report').textContent)
const pictures = report.rows.flatMap((row) => row.pictures)
const at = (id) => document.getElementById(id)
const shelf = `proofsheet ${report.manifest} ${report.profile ?? ''}`

/** What differs from the marks in the lock: `picked`, `rejected` or `none` by id. */
const marks = new Map(readMarks())
const markOf = (picture) => marks.get(picture.id) ?? picture.review ?? 'none'

function readMarks() {
  try {
    const saved = JSON.parse(localStorage.getItem(shelf) ?? '[]')
    return saved.filter(([id, mark]) => pictures.some((p) => p.id === id && (p.review ?? 'none') !== mark))
  } catch {
    return []
  }
}

function saveMarks() {
  try {
    localStorage.setItem(shelf, JSON.stringify([...marks]))
  } catch {
    // A browser may refuse storage to a file; the marks then last as long as the page.
  }
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

const cards = new Map(pictures.map((picture) => [picture, cardOf(picture)]))
const sections = report.rows.map((row) => {
  const cells = element('div', { className: 'row' }, ...row.pictures.map((p) => cards.get(p)))
  return { row, section: element('section', {}, element('h2', { textContent: row.name }), cells) }
})

function cardOf(picture) {
  const card = element('article', { id: `picture ${picture.id}` })
  card.append(
    picture.image ? openerOf(picture) : element('div', { className: 'none', textContent: absence(picture) }),
  )
  if (picture.label) card.append(element('h3', { textContent: picture.label }))
  const facts = [stateOf(picture), picture.cost, ...picture.tags].filter(Boolean).join(' · ')
  card.append(element('p', { className: 'quiet', textContent: facts }))
  if (picture.image && picture.reason)
    card.append(element('p', { className: 'quiet', textContent: picture.reason }))
  if (picture.image && picture.state === 'done') {
    const button = (mark, textContent) => {
      const made = element('button', {
        type: 'button',
        className: mark === 'picked' ? 'pick' : 'reject',
        textContent,
      })
      made.setAttribute('aria-label', `${textContent} ${picture.id}`)
      made.addEventListener('click', () => toggle(picture, mark))
      return made
    }
    card.append(
      element('p', { className: 'buttons' }, button('picked', 'Pick'), button('rejected', 'Reject')),
    )
  }
  return card
}

function openerOf(picture) {
  const image = element('img', { loading: 'lazy', decoding: 'async', alt: picture.id })
  image.addEventListener('error', () => {
    image.alt = `${picture.id}: the picture cannot be loaded from ${picture.image.url.slice(0, 200)}`
  })
  image.src = picture.image.thumb
  const opener = element('button', { type: 'button', className: 'open' }, image)
  opener.setAttribute('aria-label', `Enlarge ${picture.id}`)
  opener.addEventListener('click', () => enlarge(picture))
  return opener
}

function absence({ state, reason }) {
  return reason ? `${state}: ${reason}` : state === 'new' ? 'not made yet' : state
}

function stateOf({ state, emulated }) {
  return emulated ? `${state}, emulated` : state
}

function toggle(picture, mark) {
  const wanted = markOf(picture) === mark ? 'none' : mark
  if (wanted === 'picked') {
    // Of the samples of one picture at most one is picked.
    const base = picture.id.replace(/#\d+$/, '')
    for (const other of pictures)
      if (other.id.replace(/#\d+$/, '') === base && markOf(other) === 'picked') setMark(other, 'none')
  }
  setMark(picture, wanted)
  saveMarks()
  showMarks()
}

function setMark(picture, mark) {
  if ((picture.review ?? 'none') === mark) marks.delete(picture.id)
  else marks.set(picture.id, mark)
}

const quoted = (word) => (/^[\p{L}\p{N}_./@:=-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

function showMarks() {
  for (const [picture, card] of cards) {
    const mark = markOf(picture)
    card.classList.toggle('picked', mark === 'picked')
    card.classList.toggle('rejected', mark === 'rejected')
    for (const button of card.querySelectorAll('.pick, .reject'))
      button.setAttribute(
        'aria-pressed',
        String(button.className === (mark === 'picked' ? 'pick' : mark === 'rejected' ? 'reject' : '')),
      )
  }
  const flags = [
    ['rejected', ' --reject'],
    ['none', ' --clear'],
    ['picked', ''],
  ]
  // A pick takes the mark of its samples' earlier pick away by itself, and clearing comes before.
  const lines = flags.flatMap(([mark, flag]) => {
    const ids = [...marks].filter(([, set]) => set === mark).map(([id]) => quoted(id))
    if (ids.length === 0) return []
    const profile = report.profile ? ` --profile ${quoted(report.profile)}` : ''
    return [`proofsheet pick${flag}${profile} --manifest ${quoted(report.manifest)} ${ids.join(' ')}`]
  })
  at('picks').hidden = lines.length === 0
  at('command').value = lines.join('\n')
  at('command').rows = Math.min(6, lines.length + 1)
}

at('copy').addEventListener('click', async () => {
  at('command').select()
  let done = true
  try {
    await navigator.clipboard.writeText(at('command').value)
  } catch {
    // A page from a disk may have no clipboard of its own.
    done = document.execCommand('copy')
  }
  at('copy').textContent = done ? 'Copied' : 'Press Ctrl-C'
  setTimeout(() => {
    at('copy').textContent = 'Copy commands'
  }, 2000)
})
at('forget').addEventListener('click', () => {
  marks.clear()
  saveMarks()
  showMarks()
})

let shown = []
function filter() {
  const words = at('text').value.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (p) =>
    (!at('state').value || at('state').value === stateKey(p)) &&
    (!at('tag').value || p.tags.includes(at('tag').value)) &&
    words.every((word) => textOf.get(p).includes(word))
  shown = pictures.filter(fits)
  const visible = new Set(shown)
  for (const [picture, card] of cards) card.hidden = !visible.has(picture)
  for (const { row, section } of sections) section.hidden = !row.pictures.some((p) => visible.has(p))
  at('found').textContent =
    shown.length === pictures.length ? '' : `${shown.length} of ${pictures.length} shown`
}
const stateKey = (p) => (markOf(p) === 'none' ? p.state : markOf(p))
const textOf = new Map(
  pictures.map((p) => [p, [p.id, p.prompt, p.reason, p.model, ...p.tags].join('\n').toLowerCase()]),
)

function enlarge(picture) {
  const { image } = picture
  at('large-id').textContent = picture.id
  at('large-image').src = image.url
  at('large-image').alt = picture.id
  const size = image.width && image.height ? `${image.width} × ${image.height}` : ''
  at('large-facts').textContent = [size, picture.model, picture.cost, stateOf(picture)]
    .filter(Boolean)
    .join(' · ')
  at('large-prompt').textContent = picture.prompt
  at('full').href = image.url
  at('large').dataset.index = String(pictures.indexOf(picture))
  if (!at('large').open) at('large').showModal()
}

function step(by) {
  const seen = shown.filter((p) => p.image)
  const index = seen.indexOf(pictures[Number(at('large').dataset.index)])
  if (seen.length > 0) enlarge(seen[(index + by + seen.length) % seen.length])
}
at('before').addEventListener('click', () => step(-1))
at('after').addEventListener('click', () => step(1))
at('close').addEventListener('click', () => at('large').close())
at('large').addEventListener('keydown', (event) => {
  if (event.key === 'ArrowLeft') step(-1)
  if (event.key === 'ArrowRight') step(1)
})

const states = Map.groupBy(pictures, (p) => p.state)
for (const state of [...states.keys(), 'picked', 'rejected'])
  at('state').append(element('option', { value: state, textContent: state }))
const tags = [...new Set(pictures.flatMap((p) => p.tags))].sort()
for (const tag of tags) at('tag').append(element('option', { value: tag, textContent: tag }))
at('tag').parentElement.hidden = tags.length === 0
at('filters').addEventListener('input', filter)
at('filters').addEventListener('submit', (event) => event.preventDefault())
at('facts').textContent = [
  `${pictures.length} ${pictures.length === 1 ? 'picture' : 'pictures'}`,
  ...[...states].map(([state, list]) => `${list.length} ${state}`),
  report.cost,
  ...(report.profile ? [`profile ${report.profile}`] : []),
  new Date(report.madeAt).toLocaleString(),
].join(' · ')
at('rows').append(...sections.map(({ section }) => section))
filter()
showMarks()
