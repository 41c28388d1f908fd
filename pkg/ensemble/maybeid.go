package ensemble

import "encoding/json"

// MaybeID is a server's id, or none: 0 is an id like any other. The zero value is none; in
// JSON it is null, and left out where the field says omitzero.
type MaybeID struct {
	ID ID
	// There says that it is one.
	There bool
}

// Known is the id as one that is there.
func (id ID) Known() MaybeID { return MaybeID{ID: id, There: true} }

// Get returns the id, and whether there is one.
func (m MaybeID) Get() (ID, bool) { return m.ID, m.There }

// IsZero reports that there is none.
func (m MaybeID) IsZero() bool { return !m.There }

// Is reports whether it is that id.
func (m MaybeID) Is(id ID) bool { return m.There && m.ID == id }

// IsNot reports whether it is another one; none is no other.
func (m MaybeID) IsNot(id ID) bool { return m.There && m.ID != id }

// String is the id, and empty for none.
func (m MaybeID) String() string {
	if !m.There {
		return ""
	}
	return m.ID.String()
}

// MarshalJSON writes a number, or null.
func (m MaybeID) MarshalJSON() ([]byte, error) {
	if !m.There {
		return []byte("null"), nil
	}
	return json.Marshal(m.ID)
}

// UnmarshalJSON reads one.
func (m *MaybeID) UnmarshalJSON(data []byte) error {
	var id *ID
	if err := json.Unmarshal(data, &id); err != nil || id == nil {
		*m = MaybeID{}
		return err
	}
	*m = id.Known()
	return nil
}
