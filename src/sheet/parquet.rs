//! A sheet as a Parquet file, by the format's own column writers. One row group, no
//! compression: what is exported is small, and every reader reads it.

use super::{Cell, Kind, Sheet};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;
use wallaby_core::value::Value;

/// The whole file.
pub(super) fn write(sheet: &Sheet, name: &str) -> Result<Vec<u8>, ParquetError> {
    let kinds: Vec<Kind> = (0..sheet.columns.len()).map(|column| sheet.kind(column)).collect();
    let fields = sheet.columns.iter().zip(&kinds).map(|(name, kind)| field(name, *kind));
    let fields = fields.collect::<Result<Vec<TypePtr>, _>>()?;
    let schema = Arc::new(Type::group_type_builder(name).with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties)?;
    let mut group = file.next_row_group()?;
    for (number, kind) in kinds.iter().enumerate() {
        if let Some(mut column) = group.next_column()? {
            let cells = sheet.rows.iter().map(|row| &row[number]);
            write_column(&mut column, cells, *kind)?;
            column.close()?;
        }
    }
    group.close()?;
    file.into_inner()
}

fn field(name: &str, kind: Kind) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Whole => (Physical::INT64, None),
        Kind::Number | Kind::Empty => (Physical::DOUBLE, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let builder = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(builder.build()?))
}

fn write_column<'a>(
    column: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'a Cell>,
    kind: Kind,
) -> Result<(), ParquetError> {
    match kind {
        Kind::Flag => write_values::<BoolType>(column, cells, |value| match value {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }),
        Kind::Whole => write_values::<Int64Type>(column, cells, Value::as_i64),
        Kind::Number | Kind::Empty => write_values::<DoubleType>(column, cells, Value::as_f64),
        Kind::Text => write_values::<ByteArrayType>(column, cells, |value| {
            Some(ByteArray::from(value.to_string().into_bytes()))
        }),
    }
}

/// Values where there are some; the definition levels say where.
fn write_values<'a, T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&Value) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = cells.map(|cell| cell.as_ref().and_then(&value)).collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}
