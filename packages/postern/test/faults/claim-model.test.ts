import { expect, test } from 'vitest'
import { type ClaimDirectory, claimName, releaseName, removeDeadName, takeName } from '../../src/os/claim-chain.ts'

/**
 * An explicit-state check of the claim chain: the code that ships is run, step by step, against a model of a directory,
 * in every order in which the steps of three processes can follow each other, with crashes at any point. A process
 * takes the name, or cleans: it removes the name if it is dead.
 *
 * A process is first unrolled into an automaton: what it asks next depends only on the answers so far, so each new
 * sequence of answers is played to a fresh run of the recipe until it asks for more.
 */

type Question = { readonly ask: keyof ClaimDirectory; readonly name: string }
type Answer = unknown

/** Where a process stands: at a question, or done. */
interface Point {
  readonly id: number
  readonly history: readonly Answer[]
  readonly question: Question | undefined
  /** How the recipe ended, when there is no question. */
  readonly end: 'resolved' | 'rejected' | undefined
}

const recipes = { take: takeName, clean: removeDeadName, release: releaseName }
type Recipe = keyof typeof recipes

/** The points of one process, by the answers that lead to them. */
class Automaton {
  readonly own: bigint
  readonly #points = new Map<string, Point>()

  constructor(own: bigint) {
    this.own = own
  }

  async after(last: Point | Recipe, answer?: Answer): Promise<Point> {
    const history = typeof last === 'string' ? [last] : [...last.history, answer]
    const key = history.map(String).join()
    const known = this.#points.get(key)
    if (known !== undefined) return known
    const { loopedTo, ...reached } = await this.#play(history)
    const point = this.#points.get(history.slice(0, loopedTo).map(String).join()) ?? {
      id: this.#points.size,
      ...reached,
    }
    this.#points.set(key, point)
    return point
  }

  /** Runs the recipe with these answers. `loopedTo`: so many of them lead to the same point. */
  async #play(history: readonly Answer[]): Promise<Omit<Point, 'id'> & { loopedTo?: number }> {
    const asked: Question[] = []
    let answered = 1
    let reachedQuestion = (): void => undefined
    const waits = new Promise<void>((resolve) => {
      reachedQuestion = resolve
    })
    const reply = (ask: keyof ClaimDirectory) => (name: string) => {
      asked.push({ ask, name })
      if (answered < history.length) {
        const answer = history[answered++]
        return answer === rejection ? Promise.reject(new Error('rejected')) : Promise.resolve(answer)
      }
      reachedQuestion()
      return new Promise(() => undefined)
    }
    const directory = {
      own: this.own,
      ...Object.fromEntries(questions.map((ask) => [ask, reply(ask)])),
    } as unknown as ClaimDirectory
    const run = recipes[history[0] as Recipe](directory, publicName)
    let end: Point['end']
    const ended = run.then(
      () => void (end = 'resolved'),
      () => void (end = 'rejected'),
    )
    await Promise.race([waits, ended])
    if (end !== undefined) return { history, question: undefined, end }
    const head = headOfLoop(asked)
    return { history, question: asked.at(-1), end, ...(head === undefined ? {} : { loopedTo: head + 1 }) }
  }
}

/**
 * Where a recipe has begun another turn of its loop with the last question: the first turn's question. Nothing is
 * remembered from one turn to the next. Taking begins with `link`; cleaning looks at the name first, which it does in
 * the middle of a turn too, but never just after it has looked or has given the claim back.
 */
function headOfLoop(asked: readonly Question[]): number | undefined {
  const question = asked.at(-1)
  const first = asked.findIndex(({ ask, name }) => ask === question?.ask && name === question.name)
  if (question === undefined || first === asked.length - 1) return undefined
  if (question.ask === 'link') return first
  if (question.ask !== 'inode' || first !== 0) return undefined
  const last = asked.at(-2)
  const claim = asked.find(({ ask }) => ask === 'link')
  const looked = last?.ask === 'inode' && last.name === question.name
  const gaveBack = claim !== undefined && last?.name === claim.name && last.ask !== 'link'
  return looked || gaveBack ? 0 : undefined
}

const questions = ['link', 'inode', 'probe', 'replace', 'remove', 'occupied'] as const
const publicName = 'name'
const rejection = Symbol('rejection')

const deadInode = 7n
const oldClaimant = 8n
const ownInodes = [11n, 12n, 13n] as const

/** One state of the world. */
interface State {
  readonly names: ReadonlyMap<string, bigint>
  /** The inodes behind which somebody listens. */
  readonly alive: ReadonlySet<bigint>
  readonly processes: readonly Process[]
  readonly crashes: number
  readonly closes: number
}

interface Process {
  readonly point: Point
  readonly doing: Recipe | 'own' | 'over'
}

interface Check {
  readonly names: readonly (readonly [string, bigint])[]
  /** Whether the inode 7 is that of a live server, which must keep its name. */
  readonly live?: boolean
  readonly crashes: number
  readonly closes?: number
  /** What the processes do; three that take where absent. */
  readonly doing?: readonly ('take' | 'clean')[]
  readonly mutant?: (world: State, own: bigint, question: Question) => Answer
}

interface Result {
  readonly states: number
  readonly violations: readonly string[]
}

async function check(options: Check): Promise<Result> {
  const automata = ownInodes.map((own) => new Automaton(own))
  const processes = await Promise.all(
    automata.map(async (automaton, index) => {
      const doing = options.doing?.[index] ?? 'take'
      return { point: await automaton.after(doing), doing }
    }),
  )
  const alive = new Set([...automata.map(({ own }) => own), ...(options.live === true ? [deadInode] : [])])
  const start = {
    names: new Map(options.names),
    alive,
    processes,
    crashes: options.crashes,
    closes: options.closes ?? 0,
  }
  const seen = new Set([keyOf(start)])
  const open: State[] = [start]
  const violations = new Set<string>()
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const next = await successors(state, automata, options)
    const keys = next.map(keyOf)
    const stuck = keys.every((key) => key === keyOf(state))
    for (const wrong of complaints(state, automata, options, stuck)) violations.add(wrong)
    if (violations.size > 0) break
    for (const [index, successor] of next.entries()) {
      const key = keys[index] ?? ''
      if (seen.has(key)) continue
      seen.add(key)
      open.push(successor)
    }
  }
  return { states: seen.size, violations: [...violations] }
}

function complaints(state: State, automata: readonly Automaton[], options: Check, stuck: boolean): string[] {
  const holder = state.names.get(publicName)
  const owners = automata.filter((_, index) => state.processes[index]?.doing === 'own').map(({ own }) => own)
  const wrong = owners.filter((own) => own !== holder).map((own) => `${own} owns the name, which leads to ${holder}`)
  if (options.live === true && holder !== deadInode) wrong.push(`the live server lost its name to ${holder}`)
  const running = state.processes.some(({ doing }) => doing in recipes)
  if (running && stuck) wrong.push('nobody can go on')
  const undisturbed = state.crashes === options.crashes && state.closes === (options.closes ?? 0)
  return running || !undisturbed ? wrong : [...wrong, ...complaintsAboutEnd(state, owners.length, options)]
}

/** What must be so once all have done what they came for and nobody crashed or closed. */
function complaintsAboutEnd({ names }: State, owners: number, { live = false, doing }: Check): string[] {
  const wrong: string[] = []
  const owned = !live && (doing === undefined || doing.includes('take'))
  if (owners !== (owned ? 1 : 0)) wrong.push(`${owners} owners in the end`)
  if (names.size !== (owned || live ? 1 : 0)) wrong.push(`names left in the end: ${[...names.keys()].join()}`)
  return wrong
}

async function successors(state: State, automata: readonly Automaton[], options: Check): Promise<State[]> {
  const found: State[] = []
  for (const [index, automaton] of automata.entries()) {
    const process = state.processes[index]
    if (process === undefined || process.doing === 'over') continue
    if (process.point.question !== undefined) found.push(await step(state, index, automaton, options.mutant))
    if (process.doing === 'own' && state.closes > 0) {
      const releasing = { point: await automaton.after('release'), doing: 'release' as const }
      found.push({ ...state, processes: state.processes.with(index, releasing), closes: state.closes - 1 })
    }
    if (state.crashes > 0) found.push({ ...without(state, index, automaton.own), crashes: state.crashes - 1 })
  }
  return found
}

/** One process asks its question of the directory and goes to its next point. */
async function step(state: State, index: number, automaton: Automaton, mutant: Check['mutant']): Promise<State> {
  const process = state.processes[index]
  const question = process?.point.question
  if (process === undefined || question === undefined) return state
  const names = new Map(state.names)
  const lie = mutant?.(state, automaton.own, question)
  const answer = lie ?? act(names, state.alive, automaton.own, question)
  const point = await automaton.after(process.point, answer)
  const moved = { ...state, names }
  if (point.end === undefined) return { ...moved, processes: state.processes.with(index, { ...process, point }) }
  if (process.doing === 'take' && point.end === 'resolved') {
    return { ...moved, processes: state.processes.with(index, { point, doing: 'own' }) }
  }
  // Refused, the name cleaned or given back: the socket is closed.
  return without(moved, index, automaton.own)
}

function act(names: Map<string, bigint>, alive: ReadonlySet<bigint>, own: bigint, { ask, name }: Question): Answer {
  const holder = names.get(name)
  switch (ask) {
    case 'link':
      if (holder === undefined) names.set(name, own)
      return holder === undefined
    case 'inode':
      return holder
    case 'probe':
      return holder !== undefined && !alive.has(holder) ? 'dead' : 'alive'
    case 'replace':
      names.set(name, own)
      return undefined
    case 'remove':
      names.delete(name)
      return undefined
    case 'occupied':
      return name === publicName ? rejection : undefined
    case 'own':
      throw new Error('not a question')
  }
}

function without(state: State, index: number, own: bigint): State {
  const gone = state.processes[index]
  if (gone === undefined) return state
  const alive = new Set(state.alive)
  alive.delete(own)
  return { ...state, alive, processes: state.processes.with(index, { point: nowhere, doing: 'over' }) }
}

const nowhere: Point = { id: -1, history: [], question: undefined, end: undefined }

function keyOf({ names, alive, processes, crashes, closes }: State): string {
  const points = processes.map(({ point, doing }) => `${doing}${point.id}`)
  return [[...names].sort().join(), [...alive].sort().join(), points.join('|'), crashes, closes].join(';')
}

/** The mutant without the re-check: whoever holds a claim believes that nothing has changed. */
function withoutRecheck(state: State, own: bigint, { ask, name }: Question): Answer {
  const held = [deadInode, oldClaimant, ...ownInodes].find(
    (inode) => state.names.get(claimName(inode)) === own && claimName(inode) !== name,
  )
  if (held === undefined) return undefined
  if (ask === 'inode') return held
  return ask === 'probe' ? 'dead' : undefined
}

const alwaysDead: Check['mutant'] = (_state, _own, { ask }) => (ask === 'probe' ? 'dead' : undefined)

const cleaners = ['clean', 'clean', 'clean'] as const
const staleName = [[publicName, deadInode]] as const
const staleClaim = [...staleName, [claimName(deadInode), oldClaimant]] as const

test.each<[string, Check]>([
  ['a stale name', { names: staleName, crashes: 1 }],
  ['a stale name whose claimant crashed', { names: staleClaim, crashes: 0 }],
  ['an unused name', { names: [], crashes: 1 }],
  ['a stale name and owners that close', { names: staleName, crashes: 0, closes: 2 }],
  ['a live name', { names: staleName, live: true, crashes: 1 }],
  ['a stale name that another cleans', { names: staleName, crashes: 1, doing: ['take', 'take', 'clean'] }],
  ['a stale name that two others clean', { names: staleName, crashes: 0, doing: ['take', 'clean', 'clean'] }],
  ['a stale name that all clean', { names: staleName, crashes: 1, doing: cleaners }],
  [
    'a stale name whose claimant crashed and that two others clean',
    { names: staleClaim, crashes: 0, doing: ['take', 'clean', 'clean'] },
  ],
  ['owners that close while another cleans', { names: [], crashes: 0, closes: 2, doing: ['take', 'take', 'clean'] }],
  ['a live name that others clean', { names: staleName, live: true, crashes: 1, doing: ['take', 'clean', 'clean'] }],
])('claim chain has one owner in every order of steps: %s', async (_, options) => {
  const { states, violations } = await check(options)
  process.stdout.write(`claim model: ${states} states\n`)
  expect(violations).toEqual([])
})

test('the model finds a steal when the re-check under the claim is left out', async () => {
  const { violations } = await check({ names: staleName, crashes: 0, mutant: withoutRecheck })
  expect(violations.join()).toMatch(/owns the name, which leads to/)
})

test('the model finds a live name cleaned when the re-check under the claim is left out', async () => {
  const doing = ['take', 'clean', 'clean'] as const
  const { violations } = await check({ names: staleName, crashes: 0, doing, mutant: withoutRecheck })
  expect(violations.join()).toMatch(/owns the name, which leads to undefined/)
})

test('the model finds a live name cleaned when whatever does not answer is taken for dead', async () => {
  const { violations } = await check({ names: staleName, live: true, crashes: 0, doing: cleaners, mutant: alwaysDead })
  expect(violations.join()).toMatch(/the live server lost its name to undefined/)
})

test('the model finds a steal when whatever does not answer is taken for dead', async () => {
  const { violations } = await check({ names: staleName, live: true, crashes: 0, mutant: alwaysDead })
  expect(violations.join()).toMatch(/the live server lost its name/)
})
