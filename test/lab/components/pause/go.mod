module github.com/zkmigrate/kubectl-zkmigrate/test/lab/components/pause

go 1.24.0
