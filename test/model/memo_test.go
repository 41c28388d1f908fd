//go:build model && former

package model

import (
	"encoding/binary"
	"hash/maphash"
	"reflect"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// remember returns a rule that answers as the given one, and asks it each question
// once: most states of an exploration look the same to the rules as others do.
func remember(rule decideFunc) decideFunc {
	intent, observation := encoderOf(reflect.TypeFor[migration.Intent]()), encoderOf(reflect.TypeFor[migration.Observation]())
	buffers := sync.Pool{New: func() any { return new([]byte) }}
	known := memo{seed: maphash.MakeSeed()}
	return func(in migration.Intent, o migration.Observation) migration.Decision {
		buf, _ := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		*buf = intent((*buf)[:0], reflect.ValueOf(&in).Elem())
		*buf = observation(*buf, reflect.ValueOf(&o).Elem())
		return known.answer(*buf, func() migration.Decision { return rule(in, o) })
	}
}

// memo holds the decisions by the hash of their question (64 bits, as in seen), in
// parts with a lock each.
type memo struct {
	seed maphash.Seed
	part [shards]struct {
		sync.Mutex
		decisions map[uint64]*migration.Decision
	}
}

// answer is the decision on that question; ask gives the first.
func (m *memo) answer(question []byte, ask func() migration.Decision) migration.Decision {
	h := maphash.Bytes(m.seed, question)
	p := &m.part[h%shards]
	p.Lock()
	d := p.decisions[h]
	p.Unlock()
	if d != nil {
		return *d
	}
	made := ask()
	made.Reason, made.Evidence = "", nil // compared, and not asked for again: most of a decision's memory
	p.Lock()
	defer p.Unlock()
	if p.decisions == nil {
		p.decisions = map[uint64]*migration.Decision{}
	}
	p.decisions[h] = &made
	return made
}

// encoder appends a value's bytes, so that two values have the same bytes only if they
// are the same.
type encoder func(b []byte, v reflect.Value) []byte

// encoderOf returns the encoder of a type.
func encoderOf(t reflect.Type) encoder {
	if t == reflect.TypeFor[time.Time]() {
		return func(b []byte, v reflect.Value) []byte {
			at, _ := v.Interface().(time.Time)
			return binary.AppendVarint(b, at.UnixNano())
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		parts := make([]encoder, t.NumField())
		for i := range parts {
			parts[i] = encoderOf(t.Field(i).Type)
		}
		return func(b []byte, v reflect.Value) []byte {
			for i, part := range parts {
				b = part(b, v.Field(i))
			}
			return b
		}
	case reflect.Pointer:
		part := encoderOf(t.Elem())
		return func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, 0)
			}
			return part(append(b, 1), v.Elem())
		}
	case reflect.Slice:
		part := encoderOf(t.Elem())
		return func(b []byte, v reflect.Value) []byte {
			b = binary.AppendUvarint(b, uint64(v.Len()))
			for i := range v.Len() {
				b = part(b, v.Index(i))
			}
			return b
		}
	case reflect.Map:
		return func(b []byte, v reflect.Value) []byte {
			if v.Len() > 0 {
				panic("a map in what rules read")
			}
			return b
		}
	case reflect.String:
		return func(b []byte, v reflect.Value) []byte {
			return append(binary.AppendUvarint(b, uint64(v.Len())), v.String()...)
		}
	case reflect.Bool:
		return func(b []byte, v reflect.Value) []byte {
			if v.Bool() {
				return append(b, 1)
			}
			return append(b, 0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value) []byte { return binary.AppendVarint(b, v.Int()) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(b []byte, v reflect.Value) []byte { return binary.AppendUvarint(b, v.Uint()) }
	}
	panic("no encoder of " + t.String())
}
