/**
 * The jobs, in an SQLite file. What a method of the queue has returned from is on the disk.
 *
 * Nothing here waits, so whatever the daemon does with the queue in one turn of its event loop is done as one.
 */

import Database from 'libsql'
import type { Attempt, Change, Job, State } from './contract.ts'

/** What a new job is made of. */
export interface NewJob {
  readonly name: string
  readonly payload: Job['payload']
  readonly key?: string | undefined
}

/** How a job ends. */
export type End =
  | { readonly state: 'done'; readonly result: Job['result'] }
  | { readonly state: 'failed'; readonly error: string }
  | { readonly state: 'cancelled' }

/** Which jobs are listed. */
export interface Selection {
  readonly state?: State | undefined
  readonly before?: number | undefined
  readonly limit: number
}

/** A job whose workers are lost time after time is most likely why: then it has failed. */
const maxAttempts = 3

/**
 * `holder` is the stream through which a worker has the job. Of a job in the queue it is the one that broke off: the job
 * is kept for its worker until `letGo`.
 */
const schema = `
  CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT UNIQUE,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    attempt INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    holder INTEGER,
    result TEXT NOT NULL DEFAULT 'null',
    error TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, id);

  CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    worker TEXT,
    at_ms INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
  ) STRICT;
  CREATE INDEX IF NOT EXISTS changes_of_job ON changes (id, seq);
  CREATE TRIGGER IF NOT EXISTS job_added AFTER INSERT ON jobs BEGIN
    INSERT INTO changes (id, state, attempt, worker) VALUES (new.id, new.state, new.attempt, new.worker);
  END;
  CREATE TRIGGER IF NOT EXISTS job_changed AFTER UPDATE OF state ON jobs WHEN old.state IS NOT new.state BEGIN
    INSERT INTO changes (id, state, attempt, worker) VALUES (new.id, new.state, new.attempt, new.worker);
  END;

  CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY) STRICT;
`

/** The holder of all that was running when the last daemon ended; streams are counted from 1. */
export const lastDaemon = 0

export class Queue {
  readonly #db: Database.Database
  readonly #statements = new Map<string, Database.Statement>()

  /**
   * Opens the file, or makes it. What was running is in the queue again, kept for its worker until `letGo(lastDaemon)`.
   *
   * Throws where another daemon has the file open.
   */
  constructor(file: string) {
    this.#db = new Database(file, { timeout: 0 })
    try {
      this.#db.pragma('journal_mode = WAL')
      // On the disk before it is acknowledged, so that a power cut loses nothing either.
      this.#db.pragma('synchronous = FULL')
      // Two daemons with one file would hand out each job twice. The system takes the lock back when this one dies.
      this.#db.pragma('locking_mode = EXCLUSIVE')
      this.#db.pragma('foreign_keys = ON')
      this.#db.exec(schema)
      this.#run(
        `UPDATE jobs SET state = 'queued', holder = :lastDaemon
         WHERE state = 'running' OR (state = 'queued' AND holder IS NOT NULL)`,
        { lastDaemon },
      )
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error
      throw new Error(`${file} belongs to a daemon that runs; stop it, or give this one another file`, { cause: error })
    }
  }

  /** Jobs that have not ended. */
  get openJobs(): number {
    return this.#count(`SELECT count(*) AS n FROM jobs WHERE state IN ('queued', 'running')`)
  }

  get lastSeq(): number {
    return this.#count('SELECT coalesce(max(seq), 0) AS n FROM changes')
  }

  get paused(): boolean {
    return this.#count(`SELECT count(*) AS n FROM switches WHERE name = 'paused'`) > 0
  }

  set paused(paused: boolean) {
    if (paused) this.#run(`INSERT OR IGNORE INTO switches (name) VALUES ('paused')`)
    else this.#run(`DELETE FROM switches WHERE name = 'paused'`)
  }

  add({ name, payload, key }: NewJob): Job {
    const sql = 'INSERT INTO jobs (key, name, payload) VALUES (:key, :name, :payload) RETURNING *'
    return this.#job(sql, { key: key ?? null, name, payload: JSON.stringify(payload) })
  }

  get(id: number): Job | undefined {
    return this.#all('SELECT * FROM jobs WHERE id = :id', { id }).map(jobOf)[0]
  }

  withKey(key: string): Job | undefined {
    return this.#all('SELECT * FROM jobs WHERE key = :key', { key }).map(jobOf)[0]
  }

  /** The newest first. */
  list({ state, before, limit }: Selection): Job[] {
    const rows = this.#all(
      `SELECT * FROM jobs WHERE (:state IS NULL OR state = :state) AND id < :before ORDER BY id DESC LIMIT :limit`,
      { state: state ?? null, before: before ?? Number.MAX_SAFE_INTEGER, limit },
    )
    return rows.map(jobOf)
  }

  /** Gives the oldest job that may be begun to a worker, as its next attempt. */
  take(worker: string, holder: number): Job | undefined {
    if (this.paused) return undefined
    for (;;) {
      const [next] = this.#all(`SELECT * FROM jobs WHERE state = 'queued' AND holder IS NULL ORDER BY id LIMIT 1`)
      if (next === undefined) return undefined
      if (next.attempt >= maxAttempts) {
        this.end(next.id, { state: 'failed', error: `given up: ${maxAttempts} workers were lost while they ran it` })
        continue
      }
      return this.#job(
        `UPDATE jobs SET state = 'running', attempt = attempt + 1, worker = :worker, holder = :holder
         WHERE id = :id RETURNING *`,
        { id: next.id, worker, holder },
      )
    }
  }

  /** Lets a worker that is back go on with an attempt, unless the job was taken over or has ended. */
  keep({ id, attempt }: Attempt, holder: number): void {
    this.#run(
      `UPDATE jobs SET state = 'running', holder = :holder
       WHERE id = :id AND attempt = :attempt AND state IN ('queued', 'running')`,
      { id, attempt, holder },
    )
  }

  /** How many jobs run by this stream. */
  held(holder: number): number {
    return this.#count(`SELECT count(*) AS n FROM jobs WHERE state = 'running' AND holder = :holder`, { holder })
  }

  /** The stream has ended: its jobs are in the queue again, but kept for their worker. */
  release(holder: number): void {
    this.#run(`UPDATE jobs SET state = 'queued' WHERE state = 'running' AND holder = :holder`, { holder })
  }

  /** The worker did not come back: any worker may have its jobs. */
  letGo(holder: number): void {
    this.#run(`UPDATE jobs SET holder = NULL WHERE state = 'queued' AND holder = :holder`, { holder })
  }

  end(id: number, end: End): void {
    this.#run('UPDATE jobs SET state = :state, result = :result, error = :error, holder = NULL WHERE id = :id', {
      id,
      state: end.state,
      result: JSON.stringify(end.state === 'done' ? end.result : null),
      error: end.state === 'failed' ? end.error : null,
    })
  }

  /** What happened after a change, in order; with an id, to that job. */
  changes(after: number, id?: number): Change[] {
    return this.#all<Change>(
      `SELECT seq, id, state, attempt, worker, at_ms AS atMs FROM changes
       WHERE seq > :after AND (:id IS NULL OR id = :id) ORDER BY seq`,
      { after, id: id ?? null },
    )
  }

  /** Forgets jobs that ended before the given time, with their keys and changes. Returns how many. */
  purge(beforeMs: number): number {
    return this.#run(
      `DELETE FROM jobs WHERE state IN ('done', 'failed', 'cancelled')
       AND (SELECT max(at_ms) FROM changes WHERE changes.id = jobs.id) <= :beforeMs`,
      { beforeMs },
    )
  }

  /** How many jobs are in each state. */
  counts(): Record<State, number> {
    const counts = { queued: 0, running: 0, done: 0, failed: 0, cancelled: 0 }
    const rows = this.#all<{ readonly state: State; readonly n: number }>(
      'SELECT state, count(*) AS n FROM jobs GROUP BY state',
    )
    for (const { state, n } of rows) counts[state] = n
    return counts
  }

  /** Leaves one file, and nobody's lock on it. Idempotent. */
  close(): void {
    if (!this.#db.open) return
    this.#statements.clear()
    // By itself the driver does both only when its objects are collected.
    this.#db.pragma('journal_mode = DELETE')
    this.#db.pragma('locking_mode = NORMAL')
    this.#db.prepare('SELECT count(*) FROM switches').get()
    this.#db.close()
  }

  get open(): boolean {
    return this.#db.open
  }

  #statement(sql: string): Database.Statement {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #all<Row = JobRow>(sql: string, params: object = {}): Row[] {
    return this.#statement(sql).all(params) as Row[]
  }

  #job(sql: string, params: object): Job {
    return jobOf(this.#all(sql, params)[0] as JobRow)
  }

  #count(sql: string, params: object = {}): number {
    return (this.#statement(sql).get(params) as { readonly n: number }).n
  }

  #run(sql: string, params: object = {}): number {
    return this.#statement(sql).run(params).changes
  }
}

interface JobRow {
  readonly id: number
  readonly name: string
  readonly payload: string
  readonly state: State
  readonly attempt: number
  readonly worker: string | null
  readonly result: string
  readonly error: string | null
}

function jobOf({ id, name, payload, state, attempt, worker, result, error }: JobRow): Job {
  return {
    id,
    name,
    payload: JSON.parse(payload) as Job['payload'],
    state,
    attempt,
    worker,
    result: JSON.parse(result) as Job['result'],
    error,
  }
}
