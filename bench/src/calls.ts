process.stderr.write('bench: calls is not written yet\n')
