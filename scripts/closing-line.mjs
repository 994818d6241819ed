// Prints how the tests went as one plain line, `N passed, N failed`, for those who read logs by machine.
//
//   node scripts/closing-line.mjs RESULTS.json      a file written by `vitest run --reporter=json --outputFile=...`
//
// A missing or unreadable file counts as one failure; so does a test file that broke before its first test.

import { readFileSync } from 'node:fs'

function count(path) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(path, 'utf8'),
  )
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  return { passed: numPassedTests, failed: numFailedTests + broken.length, skipped: numPendingTests + numTodoTests }
}

function countOrFail(path) {
  try {
    return count(path)
  } catch (error) {
    console.error(`no test results: ${error.message}`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

const { passed, failed, skipped } = countOrFail(process.argv[2])
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
if (failed > 0 || passed === 0) process.exitCode = 1
