# Recipes longer than a line live in .ci/, where CI and people run the same file.
export CGO_ENABLED = 0
GO ?= go

.PHONY: build assets demo test lint bench test-postgres test-spark test-browser test-peers test-line test-glpk mutate screenshots clean

build: assets                ## bin/causeway, static, pages embedded
	$(GO) build -ldflags '-s -w' -o bin/causeway ./cmd/causeway

assets:                      ## bundle the pages' scripts (needs Node)
	.ci/assets

demo: build                  ## three nodes on this machine; Ctrl-C ends, again continues
	bin/causeway demo --dir demo

test: assets                 ## everything that needs no outside service
	.ci/test

lint:                        ## gofmt, vet, staticcheck, govulncheck
	.ci/lint

bench:                       ## measure beside the peers, print ratios
	.ci/bench

test-postgres:               ## the vault's suite on private PostgreSQL servers
	.ci/test-postgres

test-spark:                  ## detection inside Apache Spark equals the local engine
	.ci/test-spark

test-browser: build          ## the stories in headless Chromium
	.ci/test-browser

test-peers: build            ## OASIS clients, medallion and OpenTAXII against a node
	.ci/test-peers

test-line:                   ## the long fault run on the line
	.ci/test-line

test-glpk:                   ## plans equal GLPK's on random problems
	.ci/test-glpk

mutate:                      ## flip every check of label and the vault's filter; a test must fail
	.ci/mutate

screenshots: build           ## pictures of the demo for docs/
	.ci/screenshots

clean:
	rm -rf bin dist demo internal/httpd/web/dist/assets
