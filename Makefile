# Each command does all of its own set-up and may be run again at any time.
#   make run     set up, then serve on http://127.0.0.1:8000
#   make test    set up, then test; works beside a running kit
#   make bench   set up, then measure
#   make faults  set up, then do harm and count what comes of it, for some hours, into docs/reliability.md; goes on where it was cut short
#   make screenshots  set up, then take a picture of every state, into docs/pictures
#   make demo    set up, then fill the database with made-up customers; make demo-remove takes them away
#   make train   train the dialogue model anew
#   make setup   set up only
#   make backup FILE=…   all that cannot be made again, into one new file, also while the kit runs
#   make restore FILE=…  put that back into an empty var folder; with FORCE=1 what is there is put aside
#   make clean   take away what set-up made; database, secrets and logs stay

.PHONY: run test bench faults screenshots demo demo-remove train setup clean backup restore

run test bench faults screenshots demo demo-remove train setup clean:
	@python=$$(sh kit/find_python.sh) && exec "$$python" -m kit $@

backup restore:
	@test -n "$(FILE)" || { echo "Name the file: make $@ FILE=touchdesk-backup.tar.gz" >&2; exit 2; }
	@python=$$(sh kit/find_python.sh) && exec "$$python" -m kit $@ "$(FILE)" $(if $(FORCE),--force)
