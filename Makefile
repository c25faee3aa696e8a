# Each target calls one command of tools/dev.py, which sets up what is missing.
PYTHON ?= python3

.PHONY: run test bench lock
run:
	@$(PYTHON) tools/dev.py run
test:
	@$(PYTHON) tools/dev.py test $(ARGS)
bench:
	@$(PYTHON) tools/dev.py bench $(ARGS)
lock:
	@$(PYTHON) tools/dev.py lock
