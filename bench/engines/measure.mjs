// Items for a second of CPU time: the median of five runs after one to warm up, as the C# side measures itself.
export function rate(work, seconds) {
  repeat(work, seconds)
  const runs = Array.from({ length: 5 }, () => repeat(work, seconds)).sort((one, other) => one - other)
  return runs[2]
}

function repeat(work, seconds) {
  const until = performance.now() + seconds * 1000
  const before = process.cpuUsage()
  let count = 0
  while (performance.now() < until) {
    for (let round = 0; round < 16; round++) {
      work()
    }
    count += 16
  }
  const used = process.cpuUsage(before)
  return count / ((used.user + used.system) / 1e6)
}
