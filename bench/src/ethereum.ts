process.stderr.write('bench: ethereum is not written yet\n')
