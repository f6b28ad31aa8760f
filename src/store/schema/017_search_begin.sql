-- Values by how they begin; longer ones are told apart by what is looked at after that.
CREATE INDEX search_value_begin ON search_value (substr(value, 1, 64));
