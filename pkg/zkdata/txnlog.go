package zkdata

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// txnLog is one transaction log of the copy.
type txnLog struct {
	name string
	// zxid is in the name: that of the first transaction.
	zxid ensemble.Zxid
	// runs are the transactions, in the order of the file.
	runs []run
	// torn says where the last record is incomplete, bad what is broken.
	torn, bad string
}

// run is a row of transactions without a gap.
type run struct{ first, last ensemble.Zxid }

const (
	// fileHeader is magic, version and database id.
	fileHeader = 4 + 4 + 8
	// recordHead is checksum and length, txnHeader the session, request,
	// transaction, time and type in front of every transaction.
	recordHead = 8 + 4
	txnHeader  = 8 + 4 + 8 + 8 + 4
	// maxRuns bounds what a file full of holes makes us keep.
	maxRuns = 10000
)

// read walks the records as FileTxnLog.FileTxnIterator does: an empty length or
// a record without its end mark ends the file, for it is written ahead in zeros
// and a server that is killed leaves its last record torn; a wrong checksum is
// an error. Unlike ZooKeeper it wants nothing but zeros behind the end.
func (l *txnLog) read(r *bufio.Reader) error {
	var head [fileHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "ZKLG" {
		l.bad = "this is no transaction log (it does not begin with ZKLG)"
		return passing(err)
	}
	sum, body := adler32.New(), make([]byte, 32<<10)
	offset := int64(fileHeader)
	for {
		var head [recordHead]byte
		n, err := io.ReadFull(r, head[:])
		if n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			l.torn = fmt.Sprintf("the record at %d is incomplete", offset)
			return passing(err)
		}
		length := int64(int32(binary.BigEndian.Uint32(head[8:])))
		if length == 0 {
			return l.end(r, offset)
		}
		if length < 0 {
			l.bad = fmt.Sprintf("the record at %d has length %d", offset, length)
			return nil
		}
		sum.Reset()
		var zxid ensemble.Zxid
		for left := length; left > 0; {
			part := body[:min(left, int64(len(body)))]
			if _, err := io.ReadFull(r, part); err != nil {
				l.torn = fmt.Sprintf("the record at %d is incomplete", offset)
				return passing(err)
			}
			if left == length && len(part) >= txnHeader {
				zxid = ensemble.Zxid(binary.BigEndian.Uint64(part[12:]))
			}
			if _, err := sum.Write(part); err != nil {
				return err
			}
			left -= int64(len(part))
		}
		switch mark, err := r.ReadByte(); {
		case err != nil:
			l.torn = fmt.Sprintf("the record at %d has no end mark", offset)
			return passing(err)
		case mark != 'B':
			l.torn = fmt.Sprintf("the record at %d is incomplete", offset)
			return l.end(r, offset)
		case uint64(sum.Sum32()) != binary.BigEndian.Uint64(head[:]):
			l.bad = fmt.Sprintf("the record at %d has a wrong checksum", offset)
			return nil
		case length < txnHeader:
			l.bad = fmt.Sprintf("the record at %d is too short for a transaction", offset)
			return nil
		}
		if !l.add(zxid) {
			l.bad = fmt.Sprintf("its transactions have more than %d gaps", maxRuns)
			return nil
		}
		offset += recordHead + length + 1
	}
}

// add counts a transaction. One that was there before stays what it was: syncs
// may log a transaction twice.
func (l *txnLog) add(zxid ensemble.Zxid) bool {
	if n := len(l.runs); n > 0 {
		last := &l.runs[n-1]
		if zxid <= last.last {
			return true
		}
		if zxid == last.last+1 {
			last.last = zxid
			return true
		}
	}
	l.runs = append(l.runs, run{zxid, zxid})
	return len(l.runs) <= maxRuns
}

// end makes sure that nothing but zeros follows.
func (l *txnLog) end(r *bufio.Reader, offset int64) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if b != 0 {
				l.bad = fmt.Sprintf("the record at %d is incomplete, and there is more behind it", offset)
				return nil
			}
		}
		if err != nil {
			return passing(err)
		}
	}
}

// passing: the end of the file is no error.
func passing(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
