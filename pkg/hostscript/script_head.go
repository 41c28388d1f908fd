package hostscript

// head is the head of the script: the longest time it takes, the questions, and the
// body follow.
const head = `#!/bin/sh
# Prints what this host sees of a ZooKeeper ensemble as one line of JSON on standard output.
# Written by kubectl-zkmigrate; docs/host-report.md explains each field.
#
# Read-only. It reads /proc, the head and the settings dataDir and dataLogDir of the zoo.cfg that a running
# server names, myid, and the head of unit files; it asks systemctl, getent, ip, nft and iptables, and docker or podman of
# a server's own container (inspect); it opens TCP connections to the
# ports listed below and closes them at once without sending a byte. Where a line says cons, one more connection
# asks ZooKeeper for its connections (a four-letter word) and keeps only this host's own address of the answer. It writes no file,
# changes nothing and prints no password. It runs as any user; what only root can see is null for others.
# At most %d seconds, unless a file system, systemd or the firewall hangs.

# The questions.
%s
# What follows is the same for every ensemble.
%s`
