package manifest

// FleetExample is a fleet with what most need.
func FleetExample() string {
	return `apiVersion: zkmigrate.io/v1alpha1
kind: Fleet
metadata:
  name: wave-1
  namespace: zkmigrate
spec:
  until: replaced
  ensembles:                    # paths begin in this file's own folder
  - name: sandbox
    namespace: search
    manifest: sandbox/zkmigrate.yaml
    tier: 9
    labels: {stage: canary}
    consumers: [solr-test]
  - name: zk1
    namespace: search
    hostFiles: zk1/
    hook: ./hook.sh
    credentials: secret/zk1-credentials
    tier: 3
    labels: {stage: rest}
    consumers: [solr, kafka]
  - selector: team=queues       # wrapped already
    namespace: queues
    hook: ./hook.sh
    labels: {stage: rest}
  strategy:
    stages:
    - name: canary
      selector: stage=canary
      soak: 24h
      approveAfter: canary-ok
    - name: rest
      selector: stage=rest
      concurrency: 2
    maxConcurrency: 5
    electionsPerHour: 6
    windows:
    - cron: "0 22 * * 1-4"
      duration: 6h
      timeZone: Europe/Berlin
`
}
